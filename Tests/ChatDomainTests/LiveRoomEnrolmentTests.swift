import Testing

@testable import ChatDomain

/// A user that joins an open room is a participant in the store before the join is answered.
@Suite struct LiveRoomEnrolmentTests {
    private var room = LiveRoom.open()

    private mutating func enrol(_ user: RoomUser, _ request: Int, at now: Int64 = 0) -> LiveRoom.Enrolment? {
        room.enrol(user, request, at: now)
    }

    @Test mutating func aJoinContinuesOnceTheStoreHasItsUser() throws {
        #expect(enrol(.ann, 1) == .underWay)
        #expect(enrol(.ann, 2) == .underWay)
        #expect(enrol(.bob, 3) == .underWay)
        #expect(room.participants.isEmpty && room.state.members == 0)
        let next = room.nextWrite()
        let write = try #require(next)
        #expect(write.newParticipants == ["ann", "bob"])
        let effects = room.committed(.everything(of: write, after: 0), at: .at(1))
        #expect(effects.compactMap(\.enrolled) == [.request(1), .request(2), .request(3)])
        #expect(effects.compactMap(\.shared) == [.participant("ann"), .participant("bob")])
        #expect(room.participants == ["ann", "bob"])
        #expect(enrol(.ann, 4) == .done)
        #expect(!room.hasWriteReady)
    }

    @Test mutating func aJoinContinuesBehindTheMessagesOfItsWrite() throws {
        room = .open(participants: ["ann"])
        _ = room.join(.ann, session: .slot(1), at: .at(0))
        #expect(enrol(.bob, 2) == .underWay)
        _ = room.send(.sample(1), from: .slot(1), origin: .request(1), at: .at(0))
        let effects = room.commitAll(at: .at(1))
        let delivered = try #require(effects.firstIndex { $0.delivered != nil })
        let enrolled = try #require(effects.firstIndex { $0.enrolled != nil })
        #expect(delivered < enrolled, "else the session is shown the message and then gets it again")
    }

    @Test mutating func aUserTheStoreCannotRecordIsNotAnsweredAsJoined() throws {
        #expect(enrol(.ann, 1) == .underWay)
        let next = room.nextWrite()
        let effects = room.committed(
            .failure(of: try #require(next), .unavailable(reason: "down")), at: .at(1))
        #expect(effects.compactMap(\.replied) == [.refused(.storageUnavailable)])
        #expect(effects.compactMap(\.enrolled).isEmpty)
        #expect(room.participants.isEmpty && room.isIdle)
    }

    @Test mutating func aStoreThatSaysNothingIsNotWaitedForForEver() throws {
        #expect(enrol(.ann, 1) == .underWay)
        _ = room.nextWrite()
        #expect(enrol(.bob, 2, at: 1000) == .underWay)
        #expect(room.deadline == .at(5000))
        #expect(room.tick(at: .at(5000)).compactMap(\.replied) == [.refused(.storageUnavailable)])
        #expect(room.tick(at: .at(6000)).compactMap(\.replied) == [.refused(.storageUnavailable)])
        // The write in flight may still take effect, and then holds.
        let outcome = RoomWriteOutcome(roomID: "room", drafts: [], readMarks: [])
        #expect(room.committed(outcome, at: .at(7000)).compactMap(\.enrolled).isEmpty)
        #expect(room.participants == ["ann"])
        #expect(!room.hasWriteReady)
    }

    @Test mutating func participantsJoinWithoutTheStore() {
        room = .open(participants: ["ann"])
        #expect(enrol(.ann, 1) == .done)
        room = .closed(to: ["ann"])
        #expect(enrol(.ann, 2) == .done)
        #expect(enrol(.bob, 3) == nil)
        #expect(!room.hasWriteReady)
    }

    @Test mutating func aUserTheRoomHasNoPlaceForTakesPartUnrecorded() throws {
        #expect(enrol(.ann, 1) == .underWay)
        #expect(enrol(.bob, 2) == .underWay)
        let next = room.nextWrite()
        var outcome = RoomWriteOutcome.everything(of: try #require(next), after: 0)
        outcome.unrecordedParticipants = ["bob"]
        #expect(room.committed(outcome, at: .at(1)).compactMap(\.enrolled) == [.request(1), .request(2)])
        #expect(room.participants == ["ann"])
    }

    @Test mutating func aUserPutOutWhileBeingRecordedIsTakenOutOfTheStoreAgain() throws {
        #expect(enrol(.ann, 1) == .underWay)
        #expect(enrol(.bob, 2) == .underWay)
        let next = room.nextWrite()
        let write = try #require(next)
        let (_, refusals) = room.expel("bob", at: .at(1))
        #expect(refusals.compactMap(\.replied) == [.refused(.roomUnavailable)])
        let effects = room.committed(.everything(of: write, after: 0), at: .at(2))
        #expect(effects.compactMap { if case .unrecord(let users) = $0 { users } else { nil } } == [[UserID("bob")]])
        #expect(effects.compactMap(\.enrolled) == [.request(1)])
        #expect(room.participants == ["ann"])
    }

    @Test mutating func aUserThatComesAgainWhileBeingPutOutStays() throws {
        #expect(enrol(.bob, 1) == .underWay)
        let next = room.nextWrite()
        _ = room.expel("bob", at: .at(1))
        #expect(enrol(.bob, 2) == .underWay)
        let effects = room.committed(.everything(of: try #require(next), after: 0), at: .at(2))
        #expect(effects.isEmpty, "the next write records the same user")
        #expect(room.commitAll(at: .at(3)).compactMap(\.enrolled) == [.request(2)])
        #expect(room.participants == ["bob"])
    }

    @Test mutating func othersNewParticipantsCountHereToo() {
        _ = room.receive(.participant("ann"), from: InstanceID("one"), at: .at(0))
        #expect(room.state.members == 1)
        #expect(enrol(.ann, 1) == .done)
    }

    // MARK: Comparing with the store

    @Test mutating func changesDuringAReadAreNewerThanItsResult() {
        room = .open(participants: ["ann", "bob", "cat"])
        room.willRefresh()
        _ = room.receive(.participant("dan"), from: InstanceID("one"), at: .at(0))
        _ = room.expel("bob", at: .at(0))
        let snapshot = RoomSnapshot(room: room.room, participants: ["ann", "bob"], lastSequence: 0)
        #expect(room.refresh(snapshot, at: .at(1)) == [])
        #expect(room.participants == ["ann", "dan"])
        #expect(room.refresh(snapshot, at: .at(2)) == [])
        #expect(room.participants == ["ann", "bob"], "and the next reading counts again")
    }

    @Test mutating func aUserRemovedElsewhereIsPutOutOfAnOpenRoomToo() {
        room = .open(participants: ["ann", "bob"])
        for (slot, user) in [RoomUser.ann, .bob, .cat].enumerated() {
            _ = room.join(user, session: .slot(slot), at: .at(0))
        }
        let snapshot = RoomSnapshot(room: room.room, participants: ["ann"], lastSequence: 0)
        #expect(room.refresh(snapshot, at: .at(1)) == ["bob"], "cat takes part unrecorded")
    }
}

extension LiveRoom {
    /// nil for a refusal.
    mutating func enrol(_ user: RoomUser, _ request: Int, at now: Int64 = 0) -> Enrolment? {
        try? enrol(user.userID, origin: .request(request), at: .at(now)).get()
    }
}

extension RoomEffect {
    fileprivate var enrolled: RequestOrigin? {
        if case .enrolled(let origin) = self { origin } else { nil }
    }
}
