import Testing

@testable import ChatDomain

/// Storing, numbering, delivering and publishing.
@Suite struct LiveRoomMessageTests {
    private var room: LiveRoom

    init() {
        room = .open(last: 10)
        _ = room.join(.ann, session: .slot(1), at: .at(0))
        _ = room.commitAll(at: .at(0))
    }

    private mutating func send(_ number: Int, at now: Int64 = 0) {
        _ = room.send(.sample(number), from: .slot(1), origin: .request(number), at: .at(now))
    }

    private mutating func commit(_ drafts: [RoomWriteOutcome.Draft], at now: Int64 = 1) -> [RoomEffect] {
        let write = room.nextWrite()
        #expect(write?.drafts.count == drafts.count)
        return room.committed(RoomWriteOutcome(roomID: "room", drafts: drafts, readMarks: []), at: .at(now))
    }

    @Test mutating func storedMessagesAreAcknowledgedPublishedAndDeliveredInOrder() {
        send(1)
        send(2)
        #expect(room.hasWriteReady)
        let write = room.nextWrite()
        #expect(write?.lastKnown == 10)
        #expect(!room.hasWriteReady)
        let effects = room.committed(.everything(of: write!, after: 10), at: .at(1))
        #expect(effects.compactMap(\.replied) == [sent(1, as: 11), sent(2, as: 12)])
        #expect(effects.compactMap(\.published) == [[11, 12]])
        #expect(effects.compactMap(\.delivered) == [[11, 12]])
        #expect(room.lastSequence == 12)
        #expect(room.pendingBytes == 0)
    }

    private func sent(_ number: Int, as sequence: SequenceNumber, isDuplicate: Bool = false) -> RoomReply {
        let draft = MessageDraft.sample(number)
        return .sent(id: draft.id, sequence: sequence, timestamp: draft.timestamp, isDuplicate: isDuplicate)
    }

    @Test mutating func sendingNeedsMembershipOverASocketAndTheRightOverREST() {
        #expect(room.send(.sample(1), from: .slot(9), origin: .request(1, of: 9), at: .at(0)).refusal == .notJoined)
        #expect(room.send(.sample(1, by: .bob), from: nil, origin: .call(1), at: .at(0)).refusal == nil)
        #expect(room.hasWriteReady)
    }

    @Test mutating func aDuplicateIsAnsweredAsTheFirstWasAndNotDelivered() {
        send(1)
        let first = MessageDraft.sample(99)
        let effects = commit([.duplicate(id: first.id, sequence: 4, timestamp: first.timestamp)])
        #expect(effects.compactMap(\.replied) == [sent(99, as: 4, isDuplicate: true)])
        #expect(effects.count == 1)
        #expect(room.lastSequence == 10)
        #expect(room.deadline == nil)
    }

    @Test mutating func aDuplicateOfAMessageNotSeenYetBringsItHere() {
        // Another instance stored it and died before it published.
        send(1)
        let first = MessageDraft.sample(99)
        _ = commit([.duplicate(id: first.id, sequence: 11, timestamp: first.timestamp)])
        #expect(room.deadline == .at(151))
        #expect(room.tick(at: .at(151)).compactMap(\.repaired) == [10])
    }

    @Test mutating func conflictsAndFailuresAreRefusedAndLeaveNoTrace() {
        for number in 1...4 { send(number) }
        let effects = commit([
            .conflict, .failed(.unavailable(reason: "secret address")), .failed(.rejected(reason: "secret")),
            .stored(11),
        ])
        let codes = effects.compactMap(\.replied).map { reply -> ChatError.Code? in
            if case .refused(let error) = reply { error.code } else { nil }
        }
        #expect(codes == [.conflict, .storageUnavailable, .badRequest, nil])
        #expect(!"\(effects)".contains("secret"))
        #expect(effects.compactMap(\.delivered) == [[11]])
        #expect(room.pendingBytes == 0)
    }

    @Test mutating func theSenderIsRefusedAfterTheStoreLimitAndTheMessageStillArrives() {
        send(1)
        _ = room.nextWrite()
        #expect(room.deadline == .at(5000))
        #expect(room.tick(at: .at(4999)).isEmpty)
        #expect(room.tick(at: .at(5000)).compactMap(\.replied) == [.refused(.storageUnavailable)])
        let effects = room.committed(
            RoomWriteOutcome(roomID: "room", drafts: [.stored(11)], readMarks: []), at: .at(60_000))
        #expect(effects.compactMap(\.replied).isEmpty)
        #expect(effects.compactMap(\.published) == [[11]])
        #expect(effects.compactMap(\.delivered) == [[11]])
    }

    @Test mutating func whatNeverReachedTheStoreIsRefusedAndDropped() {
        send(1)
        _ = room.nextWrite()
        send(2, at: 1000)
        let effects = room.tick(at: .at(6000))
        #expect(effects.compactMap(\.replied) == [.refused(.storageUnavailable), .refused(.storageUnavailable)])
        _ = room.committed(RoomWriteOutcome(roomID: "room", drafts: [.stored(11)], readMarks: []), at: .at(7000))
        #expect(!room.hasWriteReady)
        #expect(room.pendingBytes == 0)
    }

    @Test mutating func whatASlowStoreCannotTakeInTimeIsRefusedAtOnce() {
        for number in 1...80 { send(number) }
        var (last, now): (SequenceNumber, Int64) = (10, 0)
        for count in [80, 40] {
            let write = room.nextWrite(at: .at(now))
            #expect(write?.drafts.count == count)
            now += 4000
            let stored = (1...count).map { RoomWriteOutcome.Draft.stored(last + SequenceNumber($0)) }
            last += SequenceNumber(count)
            _ = room.committed(RoomWriteOutcome(roomID: "room", drafts: stored, readMarks: []), at: .at(now))
            // One slow write alone has nothing refused.
            if count == 80 { for number in 81...121 { send(number, at: now) } }
        }
        for number in 122...140 {
            #expect(room.send(.sample(number), from: .slot(1), origin: .request(number), at: .at(now)).refusal == nil)
        }
        let refusal = room.send(.sample(141), from: .slot(1), origin: .request(141), at: .at(now)).refusal
        #expect(refusal == .overloaded)
        #expect(room.nextWrite(at: .at(now))?.drafts.count == 20)
    }

    @Test mutating func numbersOfAnotherInstanceBetweenOursAreWaitedFor() {
        send(1)
        let effects = commit([.stored(12)], at: 1000)
        // The sender is answered at once, the room when 11 is there.
        #expect(effects.compactMap(\.replied) == [sent(1, as: 12)])
        #expect(effects.compactMap(\.published) == [[12]])
        #expect(effects.compactMap(\.delivered).isEmpty)
        #expect(room.received([.number(11)], at: .at(1001)).compactMap(\.delivered) == [[11, 12]])
        #expect(room.deadline == nil)
    }

    @Test mutating func aHoleIsReadFromTheStoreAfter150Milliseconds() {
        #expect(room.received([.number(13)], at: .at(0)).isEmpty)
        #expect(room.received([.number(14)], at: .at(100)).isEmpty)
        #expect(room.deadline == .at(150))
        #expect(room.tick(at: .at(149)).isEmpty)
        #expect(room.tick(at: .at(150)).compactMap(\.repaired) == [10])
        let effects = room.repaired(Message.numbers(11...14), reachedEnd: true, at: .at(160))
        #expect(effects.compactMap(\.delivered) == [[11, 12, 13, 14]])
        #expect(effects.compactMap(\.published).isEmpty)
        #expect(room.deadline == nil)
    }

    @Test mutating func aHoleThatClosesByItselfIsNotReadFor() {
        _ = room.received([.number(12)], at: .at(0))
        _ = room.received([.number(11)], at: .at(10))
        #expect(room.deadline == nil)
        #expect(room.tick(at: .at(150)).isEmpty)
    }

    @Test mutating func aRepairThatCouldNotReadIsTriedAgain() {
        room.announced(lastSequence: 12, at: .at(0))
        #expect(room.tick(at: .at(150)).compactMap(\.repaired) == [10])
        _ = room.repaired([] as [Message], reachedEnd: false, at: .at(200))
        #expect(room.deadline == .at(350))
        #expect(room.tick(at: .at(350)).compactMap(\.repaired) == [10])
        _ = room.repaired([.number(11)], reachedEnd: false, at: .at(400))
        #expect(room.tick(at: .at(550)).compactMap(\.repaired) == [11])
        _ = room.repaired([.number(12)], reachedEnd: true, at: .at(600))
        #expect(room.deadline == nil)
    }

    @Test mutating func whatTheStoreDoesNotHaveIsNotWaitedForForever() {
        // A number that was never stored, as a broken or malicious publisher might send it.
        _ = room.received([.number(1_000_000)], at: .at(0))
        room.announced(lastSequence: 2_000_000, at: .at(0))
        #expect(room.tick(at: .at(150)).compactMap(\.repaired) == [10])
        _ = room.repaired([.number(11)], reachedEnd: true, at: .at(160))
        #expect(room.deadline == nil)
        #expect(room.lastSequence == 11)
        #expect(room.received([.number(12)], at: .at(170)).compactMap(\.delivered) == [[12]])
    }

    @Test mutating func numbersAnnouncedDuringARepairAreReadForAgain() {
        room.announced(lastSequence: 12, at: .at(0))
        _ = room.tick(at: .at(150))
        _ = room.received([.number(14)], at: .at(155))
        let effects = room.repaired(Message.numbers(11...12), reachedEnd: true, at: .at(160))
        #expect(effects.compactMap(\.delivered) == [[11, 12]])
        #expect(room.tick(at: .at(310)).compactMap(\.repaired) == [12])
        let rest = room.repaired(Message.numbers(13...14), reachedEnd: true, at: .at(320))
        #expect(rest.compactMap(\.delivered) == [[13, 14]])
        #expect(room.deadline == nil)
    }

    @Test mutating func repeatsFromOtherInstancesAreDropped() {
        #expect(room.received(Message.numbers(9...11), at: .at(0)).compactMap(\.delivered) == [[11]])
        #expect(room.received(Message.numbers(9...11), at: .at(1)).isEmpty)
    }

    @Test mutating func readMarksAreStoredAndAnnouncedWhenTheyMove() throws {
        let error = room.markRead(.slot(9), sequence: 1, origin: .request(1, of: 9), at: .at(0)).refusal
        #expect(error == .notJoined)
        for (number, sequence) in [(1, 5), (2, 4), (3, 10), (4, 6)] {
            _ = room.markRead(.slot(1), sequence: SequenceNumber(sequence), origin: .request(number), at: .at(0))
        }
        let next = room.nextWrite()
        #expect(try #require(next).readMarks.map(\.sequence) == [5, 4, 10, 6])
        let effects = room.committed(
            RoomWriteOutcome(
                roomID: "room", drafts: [],
                readMarks: [.success(true), .success(false), .success(true), .failure(.unavailable(reason: "x"))]),
            at: .at(1))
        #expect(effects.compactMap(\.replied) == [.done, .done, .done, .refused(.storageUnavailable)])
        #expect(effects.compactMap(\.announced) == [.read(.ann, 5), .read(.ann, 10)])
        let told = effects.compactMap {
            if case .tellDevices(let mark, let session) = $0 { (mark, session) } else { nil }
        }
        #expect(told.map(\.0.sequence) == [5, 10])
        #expect(told.map(\.1) == [.slot(1), .slot(1)], "the session itself knows")
    }

    @Test mutating func marksBeyondTheNewestMessageWaitForTheStoreTogether() throws {
        let first = room.markRead(.slot(1), sequence: 12, origin: .request(1), at: .at(0)).effects
        #expect(first.contains { if case .readNewest = $0 { true } else { false } })
        #expect(room.markRead(.slot(1), sequence: 99, origin: .request(2), at: .at(0)).effects.isEmpty)
        #expect(!room.hasWriteReady && !room.isIdle)
        #expect(room.didReadNewest(13, at: .at(1)).isEmpty)
        let next = room.nextWrite()
        #expect(try #require(next).readMarks.map(\.sequence) == [12, 13], "what is in the store is not cut down")
        #expect(
            room.deadline == .at(.milliseconds(1) + MessageTimeline.repairDelay),
            "and the messages before it are missing here")
    }

    @Test mutating func marksAreRefusedWhenTheStoreDoesNotAnswer() {
        _ = room.markRead(.slot(1), sequence: 12, origin: .request(1), at: .at(0))
        #expect(room.didReadNewest(nil, at: .at(1)).compactMap(\.replied) == [.refused(.storageUnavailable)])
        #expect(room.didReadNewest(nil, at: .at(2)).isEmpty && !room.hasWriteReady)
    }

    @Test mutating func aMarkOfASessionThatLeftMeanwhileIsRefused() {
        _ = room.markRead(.slot(1), sequence: 12, origin: .request(1), at: .at(0))
        _ = room.leave(.slot(1), isBroken: false, at: .at(1))
        #expect(room.didReadNewest(13, at: .at(2)).compactMap(\.replied) == [.refused(.notJoined)])
    }

    @Test mutating func aClosedRoomAnswersMarksThatWaitForTheStore() {
        _ = room.markRead(.slot(1), sequence: 12, origin: .request(1), at: .at(0))
        #expect(room.abandonWrites() == [.request(1)] && room.abandonWrites().isEmpty)
    }

    @Test mutating func oneRepairIsUnderWayAtATime() {
        room.announced(lastSequence: 12, at: .at(0))
        #expect(room.tick(at: .at(MessageTimeline.repairDelay)).compactMap(\.repaired) == [10])
        room.announced(lastSequence: 14, at: .at(200))
        #expect(room.deadline == nil)
        #expect(
            room.repaired(Message.numbers(11...12), reachedEnd: true, at: .at(300)).compactMap(\.delivered) == [
                [11, 12]
            ])
        #expect(
            room.deadline == .at(.milliseconds(300) + MessageTimeline.repairDelay),
            "what became known meanwhile is not given up")
        #expect(room.tick(at: .at(.milliseconds(300) + MessageTimeline.repairDelay)).compactMap(\.repaired) == [12])
    }

    @Test mutating func aViewShowsTheNewestMarksAndThatSendingIsReading() {
        for number in 12...70 {
            _ = room.receive(.read(.number(number), SequenceNumber(number)), from: InstanceID("one"), at: .at(0))
        }
        _ = room.receive(.read(.number(70), 3), from: InstanceID("one"), at: .at(0))
        _ = room.received(Message.numbers(11...90), at: .at(0))
        guard case .view(let view) = room.view(HistoryRequest(since: 90)) else {
            Issue.record("what was delivered last is in memory")
            return
        }
        #expect(view.readMarks.count == ReadMarkBoard.capacity)
        #expect(view.readMarks.prefix(2) == [.init(userID: "ann", sequence: 90), .init(userID: "u70", sequence: 70)])
        #expect(view.readMarks.last == .init(userID: "u22", sequence: 22))
    }
}
