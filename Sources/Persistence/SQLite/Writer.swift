import ChatDomain
import Dispatch
import Synchronization
import Workers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The one thread that writes: all that waits goes into one transaction, and is answered when that is durable.
final class Writer {
    private static let maximumJobs = 1024
    /// The pause between two steps of a move, about as long as a step.
    private static let pauseOfMove: Duration = .microseconds(500)
    /// The delays between attempts to write the marker that undoes a failed transaction.
    private static let retryDelays: (first: Duration, last: Duration) = (.milliseconds(10), .seconds(1))

    private let open: () throws(StoreError) -> WriteSession
    private let queue: WorkQueue<WriteJob>
    private let health: WriterHealth
    private let checkpointer: Checkpointer
    private var pacing: CommitPacing
    private var session: WriteSession
    /// Why the journal could not be moved when it was tried last.
    private var moveFailure: StoreError?
    /// When the last job that wakes this thread for a move comes, or came.
    private var wakeUp = ContinuousClock.now
    /// When the last job that wakes this thread for an erasure comes, or came.
    private var eraseWakeUp = ContinuousClock.now

    /// - Parameter open: opens the database, at first and again when the connection has failed.
    init(
        queue: WorkQueue<WriteJob>, health: WriterHealth, checkpointer: Checkpointer, pacing: CommitPacing,
        open: @escaping () throws(StoreError) -> WriteSession
    ) throws(StoreError) {
        self.queue = queue
        self.health = health
        self.checkpointer = checkpointer
        self.pacing = pacing
        self.open = open
        session = try open()
    }

    /// Works until the queue is closed and empty.
    func run() {
        while workOnce() {}
        while !session.journal.isEmpty, moveFailure == nil { moveSome(isForced: true) }
        // What cannot be done at once is done when the file is opened next.
        while session.erasure.isDue(at: .now), eraseSome() {}
    }

    /// Makes one transaction of what waits, or waits for something; false when the queue is closed and empty.
    func workOnce() -> Bool {
        guard var jobs = nextJobs() else { return false }
        if !jobs.isEmpty {
            jobs = gathered(jobs)
            process(jobs)
        }
        moveJournal(behind: jobs.reduce(0) { $0 + $1.draftCount })
        eraseSome()
        wakeForMove()
        wakeForErasure()
        return true
    }

    /// Waits for jobs, unless there is something else to do; nil at the end.
    private func nextJobs() -> [WriteJob]? {
        let hasMore =
            (session.isMoving || session.isIndexing) && moveFailure == nil || session.erasure.isDue(at: .now)
        guard hasMore, !queue.isClosed else {
            return queue.nextBatch(limit: Self.maximumJobs)
        }
        let jobs = queue.poll(limit: Self.maximumJobs)
        if !jobs.isEmpty { return jobs }
        // A move without pauses would keep a core from the loops.
        Self.sleep(Self.pauseOfMove)
        return queue.poll(limit: Self.maximumJobs)
    }

    /// Moves a little of the journal after each commit, so that the next waits for that little at most. A journal that holds much
    /// becomes shorter with each commit; where it is full, commits wait until it is not.
    ///
    /// - Parameter committed: the messages of the commit.
    private func moveJournal(behind committed: Int) {
        var steps = JournalMove.steps(behind: committed)
        repeat {
            moveSome()
            checkpointer.committed(on: session.connection)
            steps -= 1
        } while (session.journal.isFull || session.journal.holdsMuch && steps > 0) && moveFailure == nil
    }

    private func moveSome(isForced: Bool = false) {
        do throws(StoreError) {
            // Between two moves: during one, positions are given to messages that are not in their table yet.
            if session.isIndexing, !session.isMoving, !session.journal.holdsMuch, !isForced {
                try session.indexSome()
            } else {
                try session.moveSome(at: .now, isForced: isForced)
            }
            moveFailure = nil
        } catch {
            // The journal still has everything. The next jobs, or the next wake-up, bring the next attempt.
            session.rollBack()
            moveFailure = .unavailable(reason: "the journal cannot be moved: \(error.reason)")
        }
    }

    /// Takes a step towards ridding the files of erased texts, if one is due; false when it failed.
    @discardableResult
    private func eraseSome() -> Bool {
        do throws(StoreError) {
            try session.eraseSome(at: .now)
            return true
        } catch {
            session.rollBack()
            session.erasure.failed(at: .now)
            return false
        }
    }

    /// Has an erasure continued although no more jobs come.
    private func wakeForErasure() {
        let now = ContinuousClock.now
        guard session.erasure.isPending, eraseWakeUp <= now else { return }
        let delay = session.erasure.delay(at: now)
        eraseWakeUp = now + delay
        DispatchQueue.global().asyncAfter(deadline: .now() + delay / .seconds(1) + 0.01) { [queue] in
            _ = queue.post(.nothing)
        }
    }

    /// Blocks the thread for `span`, to the microsecond.
    private static func sleep(_ span: Duration) { usleep(UInt32(clamping: Int(span / .microseconds(1)))) }

    /// The jobs with those that come while their commit has to wait.
    private func gathered(_ jobs: [WriteJob]) -> [WriteJob] {
        var jobs = jobs
        var now = ContinuousClock.now
        if let pause = pacing.pause(before: jobs.lazy.flatMap(\.rooms), at: now) {
            Self.sleep(pause)
            jobs += queue.poll(limit: Self.maximumJobs)
            now = ContinuousClock.now
        }
        pacing.started(with: jobs.lazy.flatMap(\.rooms), at: now)
        return jobs
    }

    private func process(_ jobs: [WriteJob]) {
        do throws(StoreError) {
            if let moveFailure, session.journal.isFull { throw moveFailure }
            let answers = try transaction(of: jobs)
            health.isFailing = false
            for answer in answers { answer() }
        } catch {
            health.isFailing = true
            for job in jobs { job.fail(error) }
        }
    }

    private func transaction(of jobs: [WriteJob]) throws(StoreError) -> [WriteJob.Answer] {
        var answers: [WriteJob.Answer] = []
        answers.reserveCapacity(jobs.count)
        do throws(StoreError) {
            try session.begin()
            for job in jobs { answers.append(try perform(job)) }
        } catch {
            session.rollBack()
            throw error
        }
        do throws(StoreError) {
            try session.commit()
        } catch {
            session.rollBack()
            makeUndone()
            throw error
        }
        session.publishCommitted(at: .now)
        return answers
    }

    /// Has the journal moved although no more jobs come: what was gathered for the first move, during a move that took long,
    /// or before one that failed.
    private func wakeForMove() {
        let now = ContinuousClock.now
        guard !session.journal.isEmpty, !session.isMoving || moveFailure != nil, wakeUp <= now else { return }
        wakeUp = now + Journal.interval
        // A little later, so that the wake-up never comes before its time.
        let delay = Journal.interval / .seconds(1) + 0.01
        DispatchQueue.global().asyncAfter(deadline: .now() + delay) { [queue] in _ = queue.post(.nothing) }
    }

    private func perform(_ job: WriteJob) throws(StoreError) -> WriteJob.Answer {
        do throws(StoreError) {
            return try job.perform(session)
        } catch .rejected(let reason) {
            return { job.fail(.rejected(reason: reason)) }
        }
    }

    /// Makes a failed commit certainly not stored, however long that takes.
    ///
    /// Its frames may have reached the log although they could not be flushed, and would be found after a crash.
    /// The next durable transaction overwrites it; until there was one, its failure may not be reported.
    /// Only closing the store ends this early. A job that comes meanwhile has nothing in the log, and is refused at once.
    private func makeUndone() {
        var delay = Self.retryDelays.first
        while true {
            do throws(StoreError) {
                return try session.commitMarker()
            } catch {
                session.rollBack()
                health.isFailing = true
                for job in queue.poll(limit: Self.maximumJobs) { job.fail(error) }
            }
            if queue.isClosed { return }
            Self.sleep(delay)
            delay = min(delay * 2, Self.retryDelays.last)
            if let reopened = try? open() {
                session = reopened
            }
        }
    }
}

/// Whether the last transaction could not be made durable; read by `probe`.
final class WriterHealth: Sendable {
    private let failing = Atomic(false)

    var isFailing: Bool {
        get { failing.load(ordering: .relaxed) }
        set { failing.store(newValue, ordering: .relaxed) }
    }
}
