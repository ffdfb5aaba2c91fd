import ChatDomain
import Workers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Executes writes: participants first, then read marks, then drafts.
final class RoomInserter: Sendable {
    /// The delays before a room whose outcome is unknown is read again.
    private static let resolveDelays = (first: Duration.milliseconds(100), last: Duration.seconds(2))

    /// A write whose participants and read marks are done.
    private struct Job: Sendable {
        var pending: PendingWrite
        var attempt: RoomAttempt
        var readMarks: [Result<Bool, StoreError>]
        var participantsFailure: StoreError?
        var unrecordedParticipants: Set<UserID> = []
        var resolveDelay = resolveDelays.first
    }

    private let workers: MongoWorkers
    private let options: StoreOptions
    private let lastMessages: WriteBehind<RoomID, Message>
    private let authorsMarks: WriteBehind<MongoConnection.MarkPlace, SequenceNumber>

    init(
        workers: MongoWorkers, options: StoreOptions, lastMessages: WriteBehind<RoomID, Message>,
        authorsMarks: WriteBehind<MongoConnection.MarkPlace, SequenceNumber>
    ) {
        self.workers = workers
        self.options = options
        self.lastMessages = lastMessages
        self.authorsMarks = authorsMarks
    }

    func store(_ writes: [PendingWrite], on connection: MongoConnection) {
        var shared: [Job] = []
        for job in recordMembers(of: writes, on: connection) {
            let pending = job.pending
            // The index may have the room's numbers under another form of its id, or not at all. Then they have to be read.
            let mayBeNumbered = connection.holdsUnnumbered || BSONValue.forms(of: pending.write.roomID).count > 1
            if job.attempt.isFinished {
                finish(job)
            } else if mayBeNumbered, pending.write.lastKnown == 0 {
                resume(job, with: .readNewest)
            } else if pending.write.drafts.count == 1 {
                shared.append(job)
            } else {
                resume(job, with: .insert)
            }
        }
        insertTogether(shared, on: connection)
    }

    // MARK: Participants and read marks

    /// Stores participants and read marks. If the server refuses participants, the messages are stored all the same. If no
    /// server answers, all writes fail.
    ///
    /// - Returns: the writes that continue with their drafts.
    private func recordMembers(of writes: [PendingWrite], on connection: MongoConnection) -> [Job] {
        var failure: StoreError?
        var recorded: [RoomID: RoomPeople]?
        let joined = writes.filter { !$0.write.newParticipants.isEmpty }
        do throws(MongoError) {
            if !joined.isEmpty {
                recorded = try connection.recordParticipants(
                    joined.map { ($0.write.roomID, $0.write.newParticipants) }, limit: options.maximumParticipants)
            }
        } catch {
            failure = error.asStoreError
            guard error.isAnswer else {
                for write in writes { write.fail(error.asStoreError) }
                return []
            }
            // A refusal of one room must not affect the others.
            recorded = try? connection.people(of: joined.map(\.write.roomID))
        }
        var marks = readMarks(of: writes, on: connection)[...]
        return writes.map { pending in
            let write = pending.write
            defer { marks = marks.dropFirst(write.readMarks.count) }
            var job = Job(
                pending: pending, attempt: RoomAttempt(write), readMarks: Array(marks.prefix(write.readMarks.count)))
            guard let recorded else {
                job.participantsFailure = write.newParticipants.isEmpty ? nil : failure
                return job
            }
            let missing = Set(write.newParticipants).subtracting(recorded[write.roomID]?.participants ?? [])
            guard !missing.isEmpty else { return job }
            job.participantsFailure = failure ?? (recorded[write.roomID] == nil ? .noSuchRoom : nil)
            job.unrecordedParticipants = missing
            return job
        }
    }

    /// Stores all writes' read marks together.
    ///
    /// - Returns: one result for each mark.
    private func readMarks(
        of writes: [PendingWrite], on connection: MongoConnection
    ) -> [Result<Bool, StoreError>] {
        let marks = writes.flatMap { pending in pending.write.readMarks.map { (pending.write.roomID, $0) } }
        do throws(MongoError) {
            return try connection.advance(marks).map { .success($0) }
        } catch {
            return marks.map { _ in .failure(error.asStoreError) }
        }
    }

    // MARK: Drafts

    /// Stores the drafts of rooms that have one each, in one command. A room that is not finished by that continues alone.
    private func insertTogether(_ jobs: [Job], on connection: MongoConnection) {
        guard !jobs.isEmpty else { return }
        let documents = jobs.flatMap { self.documents(of: $0.attempt) }
        var jobs = jobs
        var repeats: [Job] = []
        do throws(MongoError) {
            let obstacles = try connection.insert(documents, isOrdered: false)
            for index in jobs.indices {
                let obstacle = obstacles[index]
                if case .unknown(let reason) = obstacle {
                    fail(jobs[index], .unknown(reason: reason))
                    continue
                }
                let step = jobs[index].attempt.didInsert(obstacle == nil ? 1 : 0, stoppedBy: obstacle?.known)
                if step == .findRepeats { repeats.append(jobs[index]) } else { resume(jobs[index], with: step) }
            }
        } catch {
            for job in jobs { fail(job, error) }
        }
        answerRepeats(repeats, on: connection)
    }

    /// Finds in one query the messages that senders of many rooms repeat, as they do after an outage.
    private func answerRepeats(_ jobs: [Job], on connection: MongoConnection) {
        guard !jobs.isEmpty else { return }
        do throws(MongoError) {
            let found = try connection.messages(
                repeating: jobs.flatMap { job in
                    job.attempt.remaining.map { (job.attempt.roomID, job.attempt.drafts[$0]) }
                })
            let freed = try connection.freeClientIDs(of: found)
            for var job in jobs {
                let step = job.attempt.receivedRepeats(
                    freed.current, hasFreed: freed.rooms.contains(job.attempt.roomID))
                resume(job, with: step)
            }
        } catch {
            for job in jobs { fail(job, error) }
        }
    }

    /// Executes the next steps in a job of their own, so that rooms do not wait for each other.
    private func resume(_ job: Job, with step: RoomAttempt.Step) {
        guard step != .finished else { return finish(job) }
        let isTaken = workers.post { [self] connection in runSteps(job, step, on: connection) }
        if !isTaken { abandon(job) }
    }

    /// Executes a room's steps until it is finished or must be tried again later.
    private func runSteps(_ job: Job, _ step: RoomAttempt.Step, on connection: MongoConnection) {
        var job = job
        var step = step
        while step != .finished {
            if step == .findOwnLater { return findOwnLater(job) }
            do throws(MongoError) {
                step = try execute(step, of: &job.attempt, on: connection)
            } catch {
                return fail(job, error)
            }
        }
        finish(job)
    }

    private func execute(
        _ step: RoomAttempt.Step, of attempt: inout RoomAttempt, on connection: MongoConnection
    ) throws(MongoError) -> RoomAttempt.Step {
        let drafts = attempt.remaining.map { attempt.drafts[$0] }
        switch step {
        case .finished, .findOwnLater: return step
        case .insert:
            let obstacles = try connection.insert(documents(of: attempt), isOrdered: true)
            guard let (index, obstacle) = obstacles.min(by: { $0.key < $1.key }) else {
                return attempt.didInsert(drafts.count, stoppedBy: nil)
            }
            if case .unknown(let reason) = obstacle {
                _ = attempt.didInsert(index, stoppedBy: nil)
                throw .unknown(reason: reason)
            }
            return attempt.didInsert(index, stoppedBy: obstacle.known)
        case .readNewest:
            pause(after: attempt.losses)
            return attempt.receivedNewest(try newest(for: attempt, on: connection))
        case .findRepeats:
            pause(after: attempt.losses)
            let found = try connection.messages(repeating: drafts.map { (attempt.roomID, $0) })
            let freed = try connection.freeClientIDs(of: found)
            return attempt.receivedRepeats(freed.current, hasFreed: !freed.rooms.isEmpty)
        case .findOwn:
            pause(after: attempt.losses)
            return attempt.receivedStored(try connection.messages(withIDs: drafts.map(\.id)))
        }
    }

    /// The room's newest number. It is at least the one that was taken, so only those are read; except after an unknown
    /// outcome, because a server that restarted may have lost numbers.
    private func newest(
        for attempt: RoomAttempt, on connection: MongoConnection
    ) throws(MongoError) -> SequenceNumber {
        guard connection.holdsUnnumbered else {
            let newest = try connection.newestNumbered(
                in: attempt.roomID, from: attempt.isUncertain ? .min : attempt.next, isMajority: false)
            return newest?.sequence ?? (attempt.isUncertain ? 0 : attempt.next - 1)
        }
        return try connection.newest(of: [attempt.roomID], isMajority: false)[attempt.roomID]?.sequence ?? 0
    }

    /// A command failed: the room ends with that, or is tried again later.
    private func fail(_ job: Job, _ error: MongoError) {
        var job = job
        guard job.attempt.didFail(error) == nil else { return finish(job) }
        findOwnLater(job)
    }

    private func findOwnLater(_ job: Job) {
        var job = job
        let delay = job.resolveDelay
        job.resolveDelay = min(job.resolveDelay * 2, Self.resolveDelays.last)
        let unresolved = job
        workers.post(after: delay) { [self] connection in
            runSteps(unresolved, .findOwn, on: connection)
        } refused: { [self] in
            abandon(unresolved)
        }
    }

    /// The store is closed before the room is finished.
    private func abandon(_ job: Job) {
        var job = job
        _ = job.attempt.fail(.refused)
        finish(job)
    }

    private func finish(_ job: Job) {
        let outcomes = job.attempt.outcomes.compactMap(\.self)
        for (draft, outcome) in zip(job.attempt.drafts, outcomes) {
            guard case .stored(let sequence) = outcome else { continue }
            lastMessages.add(
                Message(draft, in: job.attempt.roomID, sequence: sequence), of: job.attempt.roomID)
        }
        for mark in job.pending.write.authorsMarks(outcomes) {
            authorsMarks.add(mark.sequence, of: .init(room: job.attempt.roomID, user: mark.userID))
        }
        var outcome = RoomWriteOutcome(
            roomID: job.attempt.roomID, drafts: outcomes, readMarks: job.readMarks,
            participantsFailure: job.participantsFailure)
        outcome.unrecordedParticipants = job.unrecordedParticipants
        job.pending.finish(outcome)
    }

    private func documents(of attempt: RoomAttempt) -> [BSONDocument] {
        attempt.remaining.enumerated().map { offset, index in
            BSONDocument(
                attempt.drafts[index], in: attempt.roomID, attempt.next + SequenceNumber(offset),
                eventOwner: options.outboxOwner)
        }
    }

    /// Waits for the writers that won the race: up to 2 ms after the first loss, 16 ms after many.
    private func pause(after losses: Int) {
        guard losses > 0 else { return }
        usleep(UInt32.random(in: 0...(1000 << UInt32(min(losses, 4)))))
    }
}
