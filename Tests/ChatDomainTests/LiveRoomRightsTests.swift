import Testing

@testable import ChatDomain

/// Bans, mutes, read-only rooms and slow mode, as a live room applies them.
@Suite struct LiveRoomRightsTests {
    private var room = LiveRoom.open(participants: ["ann", "bob"])

    private func draft(_ number: Int, at time: Int64, client: String? = nil) -> MessageDraft {
        MessageDraft(
            id: MessageID(high: 1, low: UInt32(number)),
            body: MessageBody(author: "bob", username: "Bob", text: "text", clientMessageID: client),
            timestamp: Timestamp(milliseconds: time))
    }

    private mutating func send(_ draft: MessageDraft) -> ChatError? {
        let result = room.send(draft, from: nil, origin: .request(1), at: .at(0))
        if case .failure(let error) = result { return error }
        return nil
    }

    private mutating func setSlowMode(_ seconds: Int) {
        _ = room.revise(RoomRevision(slowModeSeconds: seconds), at: Timestamp(milliseconds: 0))
    }

    @Test mutating func aBanPutsOutAndHoldsUntilItEnds() {
        _ = room.join(.bob, session: .slot(1), at: .at(0))
        #expect(room.apply(.standing(.set(.ban, "bob", until: Timestamp(milliseconds: 100)))) == ["bob"])
        let (sessions, effects) = room.expel("bob", at: .at(1))
        #expect(sessions == [.slot(1)] && effects.compactMap(\.announced) == [.left(.bob)])
        #expect(room.join(.bob, session: .slot(2), at: .at(2)).refusal == .banned)
        #expect(room.enrol("bob", origin: .request(2), at: .at(2)).failure == .banned)
        #expect(send(draft(1, at: 2))?.code == .banned)
        #expect(room.info(by: "bob").refusal?.code == .banned && room.info(by: "ann").isAdmitted)
        room.liftStandings(at: Timestamp(milliseconds: 100))
        #expect(room.info(by: "bob").isAdmitted && send(draft(2, at: 100)) == nil)
    }

    @Test mutating func aRefreshFromTheStoreBringsBans() {
        _ = room.join(.bob, session: .slot(1), at: .at(0))
        var snapshot = RoomSnapshot(room: room.room, participants: ["ann"], lastSequence: 0)
        snapshot.authority = RoomAuthority([RoomStanding(.ban, of: "bob", since: Timestamp(milliseconds: 0))])
        room.willRefresh()
        #expect(room.refresh(snapshot, at: .at(1)) == ["bob"])
    }

    @Test mutating func aMuteStopsMessagesAndTyping() {
        _ = room.join(.bob, session: .slot(1), at: .at(0))
        #expect(room.apply(.standing(.set(.mute, "bob", until: nil))) == [])
        #expect(send(draft(1, at: 2))?.code == .muted)
        #expect(room.setTyping(.slot(1), isTyping: true, at: .at(3)).refusal == .muted)
        #expect(room.setTyping(.slot(1), isTyping: false, at: .at(3)).refusal == nil)
        #expect(room.info(by: "bob").isAdmitted)
        _ = room.apply(.standing(.cleared(.mute, "bob")))
        #expect(send(draft(1, at: 4)) == nil)
    }

    @Test mutating func slowModeMakesMembersWait() {
        setSlowMode(10)
        #expect(send(draft(1, at: 1000, client: "c1")) == nil)
        let refusal = send(draft(2, at: 4000, client: "c2"))
        #expect(refusal?.code == .rateLimited && refusal?.retryAfter == .seconds(7))
        // A retry of the same message is for the store to recognise.
        #expect(send(draft(3, at: 4000, client: "c1")) == nil)
        #expect(send(draft(4, at: 14_000)) == nil)
        _ = room.apply(.standing(.set(.moderator, "bob", until: nil)))
        #expect(send(draft(5, at: 14_001)) == nil)
    }

    @Test mutating func messagesStoredElsewhereCount() {
        setSlowMode(10)
        _ = room.received([.message(Message(draft(1, at: 5000), in: "room", sequence: 1))], at: .at(0))
        #expect(send(draft(2, at: 6000))?.retryAfter == .seconds(9))
        var snapshot = RoomSnapshot(room: room.room, participants: ["bob"], lastSequence: 1)
        snapshot.recentMessages = [Message(draft(1, at: 5000), in: "room", sequence: 1)]
        room = LiveRoom(snapshot, limits: RoomLimits())
        #expect(send(draft(2, at: 6000))?.retryAfter == .seconds(9))
    }

    @Test mutating func aMessageThatWasNotStoredDoesNotCount() {
        setSlowMode(10)
        #expect(send(draft(1, at: 1000)) == nil)
        guard let write = room.nextWrite() else {
            Issue.record("nothing to write")
            return
        }
        _ = room.committed(.failure(of: write, .unavailable(reason: "away")), at: .at(1))
        #expect(send(draft(2, at: 1001)) == nil)
    }

    @Test func slowModeRemembersABoundedNumberOfUsers() {
        var slow = SlowMode()
        for number in 0...SlowMode.capacity {
            slow.note(
                UserID(unchecked: "u\(number)"), at: Timestamp(milliseconds: Int64(number)), clientMessageID: nil)
        }
        #expect(slow.count <= SlowMode.capacity / 2 + 1)
        let last = UserID(unchecked: "u\(SlowMode.capacity)")
        let now = Timestamp(milliseconds: Int64(SlowMode.capacity))
        #expect(slow.wait(of: last, clientMessageID: nil, interval: .seconds(5), at: now) == .seconds(5))
        // A clock that is far ahead stops no user.
        slow.note("far", at: Timestamp(milliseconds: .max), clientMessageID: nil)
        #expect(slow.wait(of: "far", clientMessageID: nil, interval: .seconds(5), at: now) == nil)
    }
}

extension Result where Success == LiveRoom.Enrolment, Failure == ChatError {
    fileprivate var failure: ChatError.Code? { if case .failure(let error) = self { error.code } else { nil } }
}
