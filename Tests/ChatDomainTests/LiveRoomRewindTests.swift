import Testing

@testable import ChatDomain

/// A store that comes back without what it had acknowledged, and senders that waited before their turn came.
@Suite struct LiveRoomRewindTests {
    private var room = LiveRoom.open(last: 5)

    private mutating func send(_ number: Int, since: Int64? = nil, at now: Int64 = 0) -> Result<[RoomEffect], ChatError>
    {
        room.send(
            .sample(number), from: .slot(1), origin: .request(number), since: since.map { .at($0) }, at: .at(now))
    }

    @Test mutating func membersBeginAgainWhereTheStoreIs() {
        _ = room.received(Message.numbers(6...9), at: .at(0))
        #expect(room.rewind(to: 9).isEmpty && room.rewind(to: 12).isEmpty, "as much as was delivered, or more")
        #expect(room.rewind(to: 7).resynced == [7])
        #expect(room.lastSequence == 7)
        // The numbers are given again, and what is under them now is news.
        #expect(room.received([.number(8, text: "another")], at: .at(1)).compactMap(\.delivered) == [[8]])
        guard case .view(let view) = room.view(HistoryRequest(since: 7)) else {
            Issue.record("what was just delivered is not kept")
            return
        }
        #expect(view.messages.map(\.body.text) == ["another"])
    }

    @Test mutating func textsThatTheStoreHasErasedAreReadAgain() {
        _ = room.received(Message.numbers(6...9), at: .at(0))
        #expect(room.apply(.contentErased(needsResync: true)).isEmpty)
        guard case .read = room.view(HistoryRequest(since: 7)) else {
            Issue.record("a text was kept")
            return
        }
        #expect(room.received(Message.numbers(10...10), at: .at(1)).compactMap(\.delivered) == [[10]])
    }

    @Test mutating func aRefreshForgetsTextsToo() {
        _ = room.received(Message.numbers(6...9), at: .at(0))
        let snapshot = RoomSnapshot(room: room.room, participants: [], lastSequence: 9)
        room.willRefresh()
        _ = room.refresh(snapshot, at: .at(0))
        guard case .read = room.view(HistoryRequest(since: 7)) else {
            Issue.record("a text was kept")
            return
        }
    }

    @Test mutating func anotherInstancesWordIsEnough() {
        _ = room.received(Message.numbers(6...9), at: .at(0))
        #expect(room.receive(.rewound(to: 6), from: InstanceID("one"), at: .at(1)).resynced == [6])
        #expect(room.receive(.rewound(to: 6), from: InstanceID("two"), at: .at(1)).isEmpty)
    }

    @Test mutating func aNumberThatWasDeliveredBeforeAndIsGivenAgainShowsIt() {
        _ = room.join(.ann, session: .slot(1), at: .at(0))
        _ = room.commitAll(at: .at(0))
        _ = room.received(Message.numbers(6...9), at: .at(0))
        _ = send(20)
        _ = room.nextWrite()
        let outcome = RoomWriteOutcome(roomID: "room", drafts: [.stored(8)], readMarks: [])
        let effects = room.committed(outcome, at: .at(1))
        #expect(effects.resynced == [7])
        #expect(effects.compactMap(\.delivered) == [[8]])
        #expect(effects.contains { if case .share(.rewound(to: 7)) = $0 { true } else { false } })
    }

    @Test mutating func aMessageReadBeforeItsOutcomeCameCausesNoResync() {
        _ = room.join(.ann, session: .slot(1), at: .at(0))
        _ = room.commitAll(at: .at(0))
        _ = send(6)
        _ = room.nextWrite()
        _ = room.received([.number(6)], at: .at(1))
        let effects = room.committed(RoomWriteOutcome(roomID: "room", drafts: [.stored(6)], readMarks: []), at: .at(2))
        #expect(effects.resynced.isEmpty && effects.compactMap(\.delivered).isEmpty)
    }

    @Test mutating func theTimeToWaitCountsFromWhenAMessageCame() {
        _ = room.join(.ann, session: .slot(1), at: .at(0))
        _ = room.commitAll(at: .at(0))
        #expect(send(6, since: 0, at: 4000).refusal == nil)
        #expect(room.tick(at: .at(4999)).compactMap(\.replied).isEmpty)
        #expect(room.tick(at: .at(5000)).compactMap(\.replied) == [.refused(.storageUnavailable)])
        #expect(send(7, since: 0, at: 5000).refusal == .storageUnavailable, "its time was over before its turn came")
        #expect(send(8, at: 5000).refusal == nil)
    }
}

extension [RoomEffect] {
    fileprivate var resynced: [SequenceNumber] {
        compactMap { if case .resync(let sequence) = $0 { sequence } else { nil } }
    }
}
