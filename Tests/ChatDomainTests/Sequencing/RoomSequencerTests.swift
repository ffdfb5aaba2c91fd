import ChatDomain
import Testing

/// One sequencer and its answers, step by step.
@Suite struct RoomSequencerTests {
    private let here = InstanceID("here")
    private let there = InstanceID("there")

    private func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: milliseconds) }

    private func draft(_ number: UInt32, text: String = "text") -> MessageDraft {
        MessageDraft(
            id: MessageID(high: 1, low: number),
            body: MessageBody(author: UserID(unchecked: "ann"), username: "Ann", text: text),
            timestamp: Timestamp(milliseconds: 0))
    }

    /// A room that the instance owns while both are alive.
    private func room(of owner: InstanceID) throws -> RoomID {
        let view = RoomOwnership([here, there])
        return try #require((0...).lazy.map { RoomID(unchecked: "r\($0)") }.first { view.owner(of: $0) == owner })
    }

    private func sequencer() -> RoomSequencer {
        var sequencer = RoomSequencer(instance: here, firstTicket: 0)
        _ = sequencer.setInstances([here, there], at: moment(0))
        return sequencer
    }

    private func write(_ room: RoomID, _ drafts: [MessageDraft], known: SequenceNumber = 0) -> RoomWrite {
        RoomWrite(roomID: room, lastKnown: known, messages: drafts)
    }

    private func stored(_ write: RoomWrite, from first: SequenceNumber) -> RoomWriteOutcome {
        RoomWriteOutcome(
            roomID: write.roomID, drafts: write.drafts.indices.map { .stored(first + SequenceNumber($0)) },
            readMarks: write.readMarks.map { _ in .success(true) })
    }

    @Test func withoutOthersItsWritesAreCommittedHere() throws {
        var alone = RoomSequencer(instance: here, firstTicket: 0)
        let room = try room(of: there)
        #expect(alone.submit(write(room, [draft(1)]), at: moment(0)).isEmpty)
        let commits = alone.takeCommits()
        #expect(commits.map { $0.drafts.map(\.id) } == [[draft(1).id]])
        #expect(alone.takeCommits().isEmpty)
        let actions = alone.committed(stored(commits[0], from: 1), at: moment(1))
        guard case .finish(let outcome)? = actions.first else { Issue.record("\(actions)"); return }
        #expect(outcome.drafts == [.stored(1)])
    }

    @Test func whatComesDuringACommitGoesTogetherInTheNext() throws {
        var owner = sequencer()
        let room = try room(of: here)
        owner.receivedForward(write(room, [draft(1)], known: 4), ticket: 1, from: there)
        let first = owner.takeCommits()
        #expect(first.count == 1)
        owner.receivedForward(write(room, [draft(2)], known: 7), ticket: 2, from: there)
        owner.receivedForward(write(room, [draft(2)], known: 7), ticket: 2, from: there)
        _ = owner.submit(write(room, [draft(3)], known: 6), at: moment(0))
        #expect(owner.takeCommits().isEmpty)
        let answers = owner.committed(stored(first[0], from: 5), at: moment(1))
        guard case .answer(_, let ticket, let asker)? = answers.first else { Issue.record("another action"); return }
        #expect(ticket == 1 && asker == there && answers.count == 1)
        let second = owner.takeCommits()
        #expect(second.map { $0.drafts.map(\.id) } == [[draft(2).id, draft(3).id]])
        #expect(second.first?.lastKnown == 7)
        #expect(owner.committed(stored(second[0], from: 8), at: moment(2)).count == 2)
    }

    @Test func aSilentOwnerIsPassedOver() throws {
        var forwarder = sequencer()
        let room = try room(of: there)
        let actions = forwarder.submit(write(room, [draft(1)]), at: moment(0))
        guard case .forward(_, let ticket, to: there)? = actions.first else { Issue.record("another action"); return }
        #expect(forwarder.nextDeadline == moment(750))
        #expect(forwarder.tick(at: moment(749)).isEmpty)
        #expect(forwarder.tick(at: moment(750)).isEmpty)
        let commits = forwarder.takeCommits()
        #expect(commits.count == 1)
        // The owner's late answer decides nothing any more.
        #expect(
            forwarder.receivedOutcome(stored(commits[0], from: 9), ticket: ticket, from: there, at: moment(751)).isEmpty
        )
        #expect(forwarder.committed(stored(commits[0], from: 1), at: moment(760)).count == 1)
        // The late answer showed that the owner lives.
        guard case .forward? = forwarder.submit(write(room, [draft(2)]), at: moment(770)).first else {
            Issue.record("another action"); return
        }
    }

    @Test func anOwnerThatWaitsForTheStoreIsNotPassedOver() throws {
        var forwarder = sequencer()
        let room = try room(of: there)
        let actions = forwarder.submit(write(room, [draft(1)]), at: moment(0))
        guard case .forward(_, let ticket, to: there)? = actions.first else { Issue.record("another action"); return }
        forwarder.receivedProgress(of: room, ticket: ticket + 1, from: there, at: moment(700))
        forwarder.receivedProgress(of: room, ticket: ticket, from: here, at: moment(700))
        #expect(forwarder.nextDeadline == moment(750))
        forwarder.receivedProgress(of: room, ticket: ticket, from: there, at: moment(700))
        #expect(forwarder.nextDeadline == moment(1450))
        #expect(forwarder.tick(at: moment(1449)).isEmpty && forwarder.takeCommits().isEmpty)
        #expect(forwarder.tick(at: moment(1450)).isEmpty && forwarder.takeCommits().count == 1)
    }

    @Test func anOwnerReportsWhatWaitsForTheStore() throws {
        var owner = sequencer()
        let room = try room(of: here)
        func reports() -> [UInt64] {
            owner.tick(at: moment(0)).compactMap { action in
                guard case .reportProgress(room, let ticket, to: there) = action else { return nil }
                return ticket
            }
        }
        owner.receivedForward(write(room, [draft(1)]), ticket: 1, from: there)
        #expect(reports() == [1])
        let commit = try #require(owner.takeCommits().first)
        owner.receivedForward(write(room, [draft(2)]), ticket: 2, from: there)
        #expect(reports() == [1, 2])
        _ = owner.committed(stored(commit, from: 1), at: moment(1))
        #expect(reports() == [2])
    }

    @Test func aRefusalOfALaterAttemptIsNotFinal() throws {
        var forwarder = sequencer()
        let room = try room(of: there)
        _ = forwarder.submit(write(room, [draft(1)]), at: moment(0))
        _ = forwarder.tick(at: moment(750))
        let commit = try #require(forwarder.takeCommits().first)
        let failed = RoomWriteOutcome.failure(of: commit, .unavailable(reason: "away"))
        #expect(forwarder.committed(failed, at: moment(800)).isEmpty)
        #expect(forwarder.nextDeadline == moment(1050))
        _ = forwarder.tick(at: moment(1050))
        let again = try #require(forwarder.takeCommits().first)
        #expect(forwarder.committed(stored(again, from: 3), at: moment(1100)).count == 1)
    }

    @Test func aRefusalOfTheOnlyAttemptIsFinal() throws {
        var forwarder = sequencer()
        let room = try room(of: there)
        let actions = forwarder.submit(write(room, [draft(1)]), at: moment(0))
        guard case .forward(let piece, let ticket, _)? = actions.first else { Issue.record("another action"); return }
        let failed = RoomWriteOutcome.failure(of: piece, .unavailable(reason: "away"))
        #expect(forwarder.receivedOutcome(failed, ticket: ticket, from: there, at: moment(5)).count == 1)
        #expect(forwarder.nextDeadline == nil)
    }

    @Test func aLostRaceIsRepeatedInOrder() throws {
        var owner = sequencer()
        let room = try room(of: here)
        _ = owner.submit(write(room, [draft(1), draft(2), draft(3)]), at: moment(0))
        let first = try #require(owner.takeCommits().first)
        let partly = RoomWriteOutcome(
            roomID: room, drafts: [.stored(1), .failed(.contended), .failed(.contended)], readMarks: [])
        #expect(owner.committed(partly, at: moment(10)).isEmpty)
        #expect(first.drafts.count == 3)
        let second = try #require(owner.takeCommits().first)
        #expect(second.drafts.map(\.id) == [draft(2).id, draft(3).id])
        // Longer than any sender waits.
        #expect(owner.committed(.failure(of: second, .contended), at: moment(20)).isEmpty)
        let third = try #require(owner.takeCommits().first)
        guard case .finish(let outcome)? = owner.committed(.failure(of: third, .contended), at: moment(6000)).first
        else { Issue.record("another action"); return }
        #expect(outcome.drafts == [.stored(1), .failed(.contended), .failed(.contended)])
    }

    @Test func longWritesAreForwardedInPieces() throws {
        var forwarder = sequencer()
        let room = try room(of: there)
        let long = String(repeating: "x", count: 150 * 1024)
        let drafts = (1...3).map { draft(UInt32($0), text: long) }
        var actions = forwarder.submit(
            RoomWrite(
                roomID: room, lastKnown: 0, newParticipants: [UserID(unchecked: "bob")],
                readMarks: [ReadMark(userID: UserID(unchecked: "ann"), sequence: 0)], messages: drafts), at: moment(0))
        var pieces: [RoomWrite] = []
        var next: SequenceNumber = 1
        while case .forward(let piece, let ticket, _)? = actions.first {
            pieces.append(piece)
            actions = forwarder.receivedOutcome(stored(piece, from: next), ticket: ticket, from: there, at: moment(1))
            next += SequenceNumber(piece.drafts.count)
        }
        #expect(pieces.map(\.drafts.count) == [1, 1, 1])
        #expect(pieces.map(\.newParticipants.count) == [1, 0, 0])
        #expect(pieces.map(\.readMarks.count) == [1, 0, 0])
        guard case .finish(let outcome)? = actions.first else { Issue.record("another action"); return }
        #expect(outcome.drafts == [.stored(1), .stored(2), .stored(3)])
        #expect(outcome.readMarks.count == 1)
    }

    @Test func anAnswerThatDoesNotFitIsPassedOver() throws {
        var forwarder = sequencer()
        let room = try room(of: there)
        let actions = forwarder.submit(write(room, [draft(1), draft(2)]), at: moment(0))
        guard case .forward(let piece, let ticket, _)? = actions.first else { Issue.record("another action"); return }
        let short = RoomWriteOutcome(roomID: room, drafts: [.stored(1)], readMarks: [])
        #expect(forwarder.receivedOutcome(short, ticket: ticket, from: there, at: moment(1)).isEmpty)
        #expect(forwarder.receivedOutcome(stored(piece, from: 1), ticket: ticket, from: here, at: moment(1)).isEmpty)
        #expect(
            forwarder.receivedOutcome(stored(piece, from: 1), ticket: ticket, from: there, at: moment(2)).count == 1)
    }

    @Test func aRepeatedForwardIsNotCommittedAgain() throws {
        var owner = sequencer()
        let room = try room(of: here)
        owner.receivedForward(write(room, [draft(1)]), ticket: 5000, from: there)
        let commit = try #require(owner.takeCommits().first)
        _ = owner.committed(.failure(of: commit, .unavailable(reason: "away")), at: moment(1))
        owner.receivedForward(write(room, [draft(1)]), ticket: 5000, from: there)
        // As old as if it had come from another life.
        owner.receivedForward(write(room, [draft(1)]), ticket: 1, from: there)
        #expect(owner.takeCommits().isEmpty)
        owner.receivedForward(write(room, [draft(1)]), ticket: 4999, from: there)
        #expect(owner.takeCommits().count == 1)
    }

    @Test func everyShardHasTicketsOfItsOwn() throws {
        var owner = sequencer()
        let room = try room(of: here)
        owner.receivedForward(write(room, [draft(1)]), ticket: 1_000_000, from: there, shard: 0)
        owner.receivedForward(write(room, [draft(2)]), ticket: 1, from: there, shard: 1)
        #expect(owner.takeCommits().map(\.drafts.count) == [2])
    }

    @Test func whatWaitsForOthersIsBounded() throws {
        var limits = RoomSequencer.Limits()
        limits.maximumForwardedBytes = 300 * 1024
        var owner = RoomSequencer(instance: here, firstTicket: 0, limits: limits)
        let room = try room(of: here)
        let long = String(repeating: "x", count: 150 * 1024)
        for ticket in UInt64(1)...3 {
            owner.receivedForward(write(room, [draft(UInt32(ticket), text: long)]), ticket: ticket, from: there)
        }
        let commit = try #require(owner.takeCommits().first)
        #expect(commit.drafts.count == 1)
        #expect(owner.committed(stored(commit, from: 1), at: moment(1)).count == 1)
        owner.receivedForward(write(room, [draft(9, text: long)]), ticket: 9, from: there)
        #expect(owner.takeCommits().count == 1)
        #expect(!owner.isIdle)
    }
}
