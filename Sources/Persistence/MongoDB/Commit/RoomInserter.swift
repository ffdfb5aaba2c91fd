import ChatDomain
import Workers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Executes writes: participants and read marks first, then drafts.
final class RoomInserter: Sendable {
    /// A write whose participants and read marks are stored.
    private struct Job: Sendable {
        var pending: PendingWrite
        var attempt: RoomAttempt

        init(_ pending: PendingWrite) {
            self.pending = pending
            attempt = RoomAttempt(pending.write)
        }
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

    /// - Returns: the writes that have to be stored again later, because no draft of them was sent.
    func store(_ writes: [PendingWrite], on connection: MongoConnection) -> [PendingWrite] {
        var shared: [Job] = []
        let (recorded, open) = MemberRecorder(maximumParticipants: options.maximumParticipants)
            .record(writes, on: connection)
        for pending in recorded {
            let job = Job(pending)
            // The index may have the room's numbers under another form of its id, or not at all. Then they have to be read.
            let mayBeNumbered = connection.holdsUnnumbered || BSONValue.isAmbiguous(pending.write.roomID)
            if job.attempt.isFinished {
                finish(job)
            } else if mayBeNumbered, pending.write.lastKnown == 0 {
                resume(job, with: .readNewest)
            } else if job.attempt.needsFacts {
                resume(job, with: .readFacts)
            } else if pending.write.drafts.count == 1 {
                shared.append(job)
            } else {
                resume(job, with: .insert)
            }
        }
        return open + insertTogether(shared, on: connection)
    }

    /// Stores the drafts of rooms that have one each, in one command. A room that is not finished by that continues alone.
    ///
    /// - Returns: the writes that have to be stored again later, because the command had no effect.
    private func insertTogether(_ jobs: [Job], on connection: MongoConnection) -> [PendingWrite] {
        guard !jobs.isEmpty else { return [] }
        let documents = jobs.flatMap { self.documents(of: $0.attempt) }
        var jobs = jobs
        var repeats: [Job] = []
        do throws(MongoError) {
            let obstacles = try connection.insert(documents, isOrdered: false)
            for index in jobs.indices {
                let obstacle = obstacles[index]
                if case .unknown(let reason) = obstacle {
                    fail(jobs[index], .unknown(reason: reason), at: .insert)
                    continue
                }
                let step = jobs[index].attempt.didInsert(obstacle == nil ? 1 : 0, stoppedBy: obstacle?.known)
                if step == .findRepeats { repeats.append(jobs[index]) } else { resume(jobs[index], with: step) }
            }
        } catch {
            if case .noEffect = error { return jobs.map(\.pending).endExpired(with: error) }
            for job in jobs { fail(job, error, at: .insert) }
        }
        answerRepeats(repeats, on: connection)
        return []
    }

    /// Finds in one query the messages that senders of many rooms repeat, as they do after an outage.
    private func answerRepeats(_ jobs: [Job], on connection: MongoConnection) {
        guard !jobs.isEmpty else { return }
        do throws(MongoError) {
            let found = try connection.entries(
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
            for job in jobs { fail(job, error, at: .findRepeats) }
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
            if step == .findOwnLater { return resumeLater(job, with: .findOwn) }
            do throws(MongoError) {
                step = try execute(step, of: &job.attempt, on: connection)
            } catch {
                return fail(job, error, at: step)
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
        case .readFacts: return attempt.receivedFacts(try connection.facts(for: drafts, in: attempt.roomID))
        case .bringUpToDate:
            for message in attempt.outdated { try connection.bringUpToDate(message, in: attempt.roomID) }
            return attempt.didBringUpToDate()
        case .insert:
            let obstacles = try connection.insert(documents(of: attempt), isOrdered: true)
            guard let (index, obstacle) = obstacles.min(by: { $0.key < $1.key }) else {
                return attempt.didInsert(attempt.entries.count, stoppedBy: nil)
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
            let found = try connection.entries(repeating: drafts.map { (attempt.roomID, $0) })
            let freed = try connection.freeClientIDs(of: found)
            return attempt.receivedRepeats(freed.current, hasFreed: !freed.rooms.isEmpty)
        case .findOwn:
            pause(after: attempt.losses)
            return attempt.receivedStored(try connection.entries(of: attempt.roomID, withIDs: drafts.map(\.id)))
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
    private func fail(_ job: Job, _ error: MongoError, at step: RoomAttempt.Step) {
        var job = job
        let next = job.attempt.didFail(error, at: step, mayRepeat: job.pending.remaining > .zero)
        if let next { resumeLater(job, with: next) } else { finish(job) }
    }

    /// Executes the next steps when a primary is found, or after a delay if there is one.
    private func resumeLater(_ job: Job, with step: RoomAttempt.Step) {
        var job = job
        let delay = job.pending.takeDelay()
        let remaining = job.pending.remaining
        let delayed = job
        workers.afterOutage(limit: remaining > .zero ? remaining : delay, delay: delay) { [self] in
            workers.post(after: .zero) { [self] connection in
                runSteps(delayed, step, on: connection)
            } refused: { [self] in
                abandon(delayed)
            }
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
            guard case .message(let draft) = draft, case .stored(let sequence) = outcome else { continue }
            lastMessages.add(
                Message(draft, in: job.attempt.roomID, sequence: sequence), of: job.attempt.roomID)
        }
        for mark in job.pending.write.authorsMarks(outcomes) {
            authorsMarks.add(mark.sequence, of: .init(room: job.attempt.roomID, user: mark.userID))
        }
        let members = job.pending.members ?? RecordedMembers(readMarks: [])
        var outcome = RoomWriteOutcome(
            roomID: job.attempt.roomID, drafts: outcomes, readMarks: members.readMarks,
            participantsFailure: members.participantsFailure)
        outcome.unrecordedParticipants = members.unrecordedParticipants
        job.pending.finish(outcome)
    }

    private func documents(of attempt: RoomAttempt) -> [BSONDocument] {
        attempt.entries.map { entry in
            switch entry {
            case .message(let message): BSONDocument(message, eventOwners: options.eventOwners(of: nil))
            case .change(let change): BSONDocument(change, eventOwners: options.eventOwners(of: change.kind))
            }
        }
    }

    /// Waits for the writers that won the race: up to 2 ms after the first loss, 16 ms after many.
    private func pause(after losses: Int) {
        guard losses > 0 else { return }
        usleep(UInt32.random(in: 0...(1000 << UInt32(min(losses, 4)))))
    }
}
