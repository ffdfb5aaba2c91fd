import Testing

@testable import ChatDomain

/// Changes of messages in a room at work.
@Suite struct LiveRoomChangeTests {
    private var room: LiveRoom

    init() {
        room = .open(last: 0)
        for (slot, user) in [(1, RoomUser.ann), (2, .bob)] { _ = room.join(user, session: .slot(slot), at: .at(0)) }
        _ = room.commitAll(at: .at(0))
        _ = room.received(Message.numbers(1...3), at: .at(0))
    }

    private let now = Now(wall: Timestamp(milliseconds: 100_000), monotonic: .at(1))

    private mutating func ask(
        _ kind: ChangeRequest, by user: RoomUser = .ann, from session: SessionAddress? = .slot(1),
        isService: Bool = false
    ) -> Result<[RoomEffect], ChatError> {
        room.change(
            MessageChangeRequest(messageID: Message.number(1).id, kind), by: user, isService: isService,
            as: MessageID(high: 9, low: 9), from: session, origin: .request(1), at: now)
    }

    private func change(_ number: SequenceNumber, _ kind: MessageChange.Kind, of message: SequenceNumber = 1)
        -> MessageChange
    {
        MessageChange(
            id: MessageID(high: 9, low: UInt32(number)), sequence: number, roomID: "room",
            messageID: Message.number(message).id, messageSequence: message, user: .ann, kind: kind, timestamp: now.wall
        )
    }

    @Test mutating func aStoredChangeIsAcknowledgedPublishedAndDelivered() {
        #expect(ask(.edit(MessageEdit(text: "x"))).refusal == nil)
        #expect(room.pendingBytes > 0)
        let write = room.nextWrite()
        #expect(write?.drafts.first?.change?.authority == .ownMessages(since: nil))
        let stored = change(4, .edited(MessageEdit(text: "x")))
        let effects = room.committed(
            RoomWriteOutcome(roomID: "room", drafts: [.changed(stored)], readMarks: []), at: .at(2))
        let receipt = ChangeReceipt(messageID: stored.messageID, sequence: 4, timestamp: now.wall)
        #expect(effects.compactMap(\.replied) == [.changed(receipt)])
        #expect(effects.compactMap(\.published) == [[4]] && effects.compactMap(\.delivered) == [[4]])
        #expect(room.lastSequence == 4 && room.pendingBytes == 0)
    }

    @Test mutating func changingNeedsTheRightToWriteAndPinningMore() {
        #expect(ask(.delete, from: .slot(9)).refusal == .notJoined)
        #expect(ask(.pin(true)).refusal == .forbidden)
        room = .closed(to: ["ann"])
        #expect(ask(.delete, by: .bob, from: nil).refusal == .forbidden)
        #expect(ask(.delete, by: .bob, from: nil, isService: true).refusal == nil)
    }

    @Test mutating func mentionsAreOfUsersThatMayReadTheRoom() {
        room = .closed(to: ["ann", "bob"])
        _ = ask(.edit(MessageEdit(text: "x", mentions: ["bob", "cat"])), from: nil)
        var draft = MessageDraft.sample(5)
        draft.body.mentions = ["cat", "ann"]
        _ = room.send(draft, from: nil, origin: .request(2), at: .at(1))
        let drafts = room.nextWrite()?.drafts ?? []
        guard case .edit(let edit)? = drafts.first?.change?.request else {
            Issue.record("the edit is written")
            return
        }
        #expect(edit.mentions == ["bob"] && drafts.last?.message?.body.mentions == ["ann"])
    }

    @Test mutating func repliesNameMessagesByTheirIDs() {
        var draft = MessageDraft.sample(5)
        draft.body.replyTo = "m"
        #expect(room.send(draft, from: .slot(1), origin: .request(2), at: .at(1)).refusal == .badRequest)
        draft.body.replyTo = "ABCDEF000000000000000001"
        #expect(room.send(draft, from: .slot(1), origin: .request(2), at: .at(1)).refusal == nil)
        #expect(room.nextWrite()?.drafts.first?.message?.body.replyTo == "abcdef000000000000000001")
    }

    @Test mutating func aRepeatedChangeThatWasNotHeardIsFetched() {
        _ = ask(.delete)
        _ = room.nextWrite()
        let effects = room.committed(
            RoomWriteOutcome(roomID: "room", drafts: [.repeated(change(5, .deleted))], readMarks: []), at: .at(2))
        guard case .changed(let receipt)? = effects.compactMap(\.replied).first else {
            Issue.record("it is answered")
            return
        }
        #expect(receipt.isDuplicate && receipt.sequence == 5 && room.deadline != nil)
    }

    @Test mutating func changesWaitForTheirTurn() {
        let effects = room.receive(.change(change(5, .pinned(true))), from: InstanceID("one"), at: .at(1))
        #expect(effects.isEmpty)
        let both = room.receive(.change(change(4, .deleted)), from: InstanceID("one"), at: .at(2))
        #expect(both.compactMap(\.delivered) == [[4, 5]])
    }

    // MARK: Resuming

    private mutating func view(_ since: SequenceNumber, page: ViewPage? = nil) -> RoomView? {
        if case .view(let view) = room.view(HistoryRequest(since: since), page: page) { view } else { nil }
    }

    @Test mutating func aResumeSeesWhatChangedFromMemory() {
        let entries: [RoomLogEntry] = [
            .change(change(4, .edited(MessageEdit(text: "x")))), .message(.number(5)),
            .change(change(6, .deleted, of: 2)),
            .change(change(7, .pinned(true), of: 5)),
        ]
        _ = room.received(entries, at: .at(1))
        let view = view(3)
        #expect(view?.messages.map(\.sequence) == [5] && view?.changed.map(\.sequence) == [1, 2])
        #expect(view?.messages[0].state?.isPinned == true && view?.changed[0].body.text == "x")
        #expect(self.view(4)?.changed.map(\.sequence) == [2] && self.view(6)?.changed.map(\.sequence) == [5])
        #expect(self.view(7)?.changed.isEmpty == true)
    }

    @Test mutating func whatChangedDuringAReadIsPartOfTheView() {
        room = .open(last: 300)
        guard case .read(let query) = room.view(HistoryRequest(since: 290)) else {
            Issue.record("the room was just loaded")
            return
        }
        #expect(query.changes == ChangesQuery(after: 290, upTo: 290))
        let page = ViewPage(
            query: query, delivered: 300,
            history: HistoryPage(messages: Message.numbers(291...300), hasMoreBefore: true, hasMoreAfter: false),
            changed: ChangesPage(messages: [.number(7)]))
        _ = room.received(
            [.change(change(301, .edited(MessageEdit(text: "x")), of: 7)), .change(change(302, .deleted, of: 295))],
            at: .at(1))
        let view = view(290, page: page)
        #expect(view?.messages.map(\.sequence) == Array(291...300) && view?.messages[4].isDeleted == true)
        #expect(view?.changed.map(\.body.text) == ["x"] && view?.state.lastSequence == 302)
        _ = room.received([.change(change(303, .deleted, of: 9))], at: .at(2))
        guard case .read = room.view(HistoryRequest(since: 290), page: page) else {
            Issue.record("a change of a message that is not known is looked up")
            return
        }
    }

    @Test mutating func tooManyChangedMessagesStartOver() {
        room = .open(last: 3000)
        let wish = HistoryRequest(since: 2999)
        guard case .read(let query) = room.view(wish) else { return }
        let page = ViewPage(
            query: query, delivered: 3000,
            history: HistoryPage(messages: Message.numbers(3000...3000), hasMoreBefore: true, hasMoreAfter: false),
            changed: ChangesPage(messages: Message.numbers(1...1000)))
        // The one message and the thousand changed ones are too many together; the newest are read next, unless they are kept.
        switch room.view(wish, page: page) {
        case .view(let view): #expect(view.needsResync && view.changed.isEmpty)
        case .read(let query): #expect(query.changes == nil)
        }
    }
}
