import Testing

@testable import ChatDomain

/// The users in a room, and their announcements to others.
@Suite struct LiveRoomMembershipTests {
    private var room = LiveRoom.open()

    private mutating func join(_ user: RoomUser, _ slot: Int, at now: Int64 = 0) -> [RoomAnnouncement] {
        room.join(user, session: .slot(slot), at: .at(now)).effects.compactMap(\.announced)
    }

    private mutating func leave(_ slot: Int, isBroken: Bool, at now: Int64) -> [RoomAnnouncement] {
        room.leave(.slot(slot), isBroken: isBroken, at: .at(now)).compactMap(\.announced)
    }

    private mutating func tick(_ now: Int64) -> [RoomAnnouncement] { room.tick(at: .at(now)).compactMap(\.announced) }

    @Test mutating func firstAndLastSessionAreAnnounced() {
        #expect(join(.ann, 1) == [.joined(.ann)])
        #expect(join(.ann, 2) == [])
        #expect(join(.ann, 2) == [])
        #expect(leave(1, isBroken: false, at: 1) == [])
        #expect(leave(2, isBroken: false, at: 2) == [.left(.ann)])
        #expect(leave(2, isBroken: false, at: 3) == [])
    }

    @Test mutating func announcementsSpareTheUserTheyAreAbout() {
        let effects = room.join(.ann, session: .slot(1), at: .at(0)).effects
        guard case .announce(_, let except)? = effects.first else {
            Issue.record("nothing was announced")
            return
        }
        #expect(except == "ann")
    }

    @Test mutating func aBrokenConnectionIsAnnouncedAfterTheGracePeriod() {
        _ = join(.ann, 1)
        #expect(leave(1, isBroken: true, at: 100) == [])
        #expect(room.state.online == 1)
        #expect(room.deadline == .at(5100))
        #expect(tick(5099) == [])
        #expect(tick(5100) == [.left(.ann)])
        #expect(room.deadline == nil)
        #expect(room.state.online == 0)
    }

    @Test mutating func returningWithinTheGracePeriodIsSilent() {
        _ = join(.ann, 1)
        _ = leave(1, isBroken: true, at: 100)
        #expect(join(.ann, 2, at: 5099) == [])
        #expect(tick(5100) == [])
        #expect(room.deadline == nil)
    }

    @Test mutating func pastTheLimitNewcomersTakePartUnrecorded() {
        var limits = RoomLimits()
        limits.maximumParticipants = 2
        room = .open(limits: limits)
        for number in 0..<3 {
            _ = room.enrol(.number(number), number)
            _ = room.commitAll(at: .at(0))
            #expect(join(.number(number), number) == [.joined(.number(number))])
        }
        #expect(room.participants == ["u0", "u1"])
        #expect(room.state.members == 2)
        #expect(room.state.online == 3)
    }

    @Test mutating func aPrivateRoomIsForItsParticipants() {
        room = .closed(to: ["ann"])
        #expect(room.join(.bob, session: .slot(1), at: .at(0)).refusal == .forbidden)
        #expect(join(.ann, 2) == [.joined(.ann)])
        #expect(!room.admits(nil))
        #expect(!room.admits("bob"))
        room.admit("bob")
        #expect(join(.bob, 3) == [.joined(.bob)])
        #expect(room.info(by: "cat").isAdmitted == false)
        #expect(room.info(by: "bob").isAdmitted)
    }

    @Test mutating func anExpelledUserIsGoneAtOnceWithEverySession() {
        room = .closed(to: ["ann", "bob"])
        _ = join(.ann, 1)
        _ = join(.ann, 2)
        _ = join(.bob, 3)
        _ = room.setTyping(.slot(1), isTyping: true, at: .at(1))
        let (sessions, effects) = room.expel("ann", at: .at(2))
        #expect(sessions == [.slot(1), .slot(2)])
        #expect(effects.compactMap(\.announced) == [.typing(.ann, isTyping: false), .left(.ann)])
        #expect(room.join(.ann, session: .slot(1), at: .at(3)).refusal == .forbidden)
        #expect(room.send(.sample(1), from: .slot(1), origin: .request(1), at: .at(3)).refusal == .notJoined)
        #expect(room.send(.sample(1), from: nil, origin: .call(1), at: .at(3)).refusal == .forbidden)
    }

    @Test mutating func aUserExpelledDuringTheGracePeriodIsSeenToLeave() {
        room = .closed(to: ["ann", "bob"])
        _ = join(.ann, 1)
        _ = join(.bob, 2)
        _ = leave(1, isBroken: true, at: 1)
        let (sessions, effects) = room.expel("ann", at: .at(2))
        #expect(sessions.isEmpty)
        #expect(effects.compactMap(\.announced) == [.left(.ann)])
        #expect(tick(10_000) == [])
    }

    @Test mutating func expellingAnAbsentUserOnlyTakesTheRight() {
        room = .closed(to: ["ann"])
        let (sessions, effects) = room.expel("ann", at: .at(0))
        #expect(sessions.isEmpty && effects.isEmpty)
        #expect(!room.admits("ann"))
    }

    private mutating func typing(at now: Int64) -> [RoomAnnouncement] {
        room.setTyping(.slot(1), isTyping: true, at: .at(now)).effects.compactMap(\.announced)
    }

    @Test mutating func typingShowsChangesAndEndsByItself() {
        _ = join(.ann, 1)
        #expect(room.setTyping(.slot(9), isTyping: true, at: .at(0)).refusal == .notJoined)
        #expect(typing(at: 0) == [.typing(.ann, isTyping: true)])
        #expect(typing(at: 1000) == [])
        #expect(room.deadline == .at(7000))
        #expect(tick(7000) == [.typing(.ann, isTyping: false)])
        #expect(tick(8000) == [])
    }

    @Test mutating func leavingBreakingOffAndSendingEndTyping() {
        for ending in 0..<3 {
            room = .open()
            _ = join(.ann, 1)
            _ = room.setTyping(.slot(1), isTyping: true, at: .at(0))
            let effects =
                switch ending {
                case 0: room.leave(.slot(1), isBroken: false, at: .at(1))
                case 1: room.leave(.slot(1), isBroken: true, at: .at(1))
                default: room.send(.sample(1), from: .slot(1), origin: .request(1), at: .at(1)).effects
                }
            #expect(effects.compactMap(\.announced).first == .typing(.ann, isTyping: false))
        }
    }

    @Test mutating func inABigRoomTypingIsAnnouncedOnceASecondNetAndInPortions() {
        var limits = RoomLimits()
        limits.announcedUsers = 3
        room = .open(limits: limits)
        for number in 1...50 { _ = join(RoomUser(userID: UserID(unchecked: "u\(number)"), username: "U"), number) }
        _ = tick(0)
        func type(_ slot: Int, _ isTyping: Bool, at now: Int64) -> [RoomAnnouncement] {
            room.setTyping(.slot(slot), isTyping: isTyping, at: .at(now)).effects.compactMap(\.announced)
        }
        #expect(type(1, true, at: 10) == [])
        #expect(room.deadline == .at(10))
        #expect(typists(tick(10)) == ["u1+"])
        for slot in 2...50 { #expect(type(slot, true, at: 20) == []) }
        // Reversed before it was announced.
        for _ in 0..<5 {
            _ = type(2, false, at: 30)
            _ = type(2, true, at: 30)
        }
        _ = type(3, false, at: 40)
        #expect(typists(tick(1009)) == [])
        #expect(typists(tick(1010)) == (4...23).map { "u\($0)+" })
        #expect(typists(tick(2010)) == (24...43).map { "u\($0)+" })
        #expect(typists(tick(3010)) == (44...50).map { "u\($0)+" } + ["u2+"])
        #expect(typists(tick(5900)) == [])
    }

    private func typists(_ announcements: [RoomAnnouncement]) -> [String] {
        announcements.compactMap {
            guard case .typing(let user, let isTyping) = $0 else { return nil }
            return user.userID.value + (isTyping ? "+" : "-")
        }
    }

    @Test mutating func aBigRoomShowsCountsOnceASecond() {
        var limits = RoomLimits()
        limits.announcedUsers = 3
        room = .open(limits: limits)
        for number in 0..<3 { #expect(join(.number(number), number) == [.joined(.number(number))]) }
        for number in 3..<10 { #expect(join(.number(number), number, at: 10) == []) }
        #expect(room.deadline == .at(10))
        #expect(tick(10) == [.state(room.state)])
        #expect(room.state.online == 10)
        #expect(leave(9, isBroken: false, at: 20) == [])
        #expect(leave(8, isBroken: false, at: 30) == [])
        #expect(room.deadline == .at(1010))
        #expect(tick(1009) == [])
        #expect(tick(1010) == [.state(room.state)])
        #expect(tick(2010) == [])
        for number in 4..<8 { #expect(leave(number, isBroken: false, at: 3000) == []) }
        #expect(leave(3, isBroken: false, at: 3000) == [.left(.number(3))])
    }

    @Test mutating func renamingShows() {
        #expect(room.revise(RoomRevision(name: "Lounge"), at: Timestamp(milliseconds: 5)).isEmpty)
        #expect(room.info(by: nil).room.name == "Lounge")
        #expect(room.info(by: nil).room.updatedAt == Timestamp(milliseconds: 5))
    }

    @Test mutating func aRoomThatIsClosedKeepsItsParticipants() {
        var limits = RoomLimits()
        limits.maximumParticipants = 1
        room = .open(limits: limits)
        room.admit(RoomUser.ann.userID)
        _ = join(.ann, 1)
        _ = join(.bob, 2)
        #expect(room.revise(RoomRevision(isPrivate: true), at: Timestamp(milliseconds: 5)) == [RoomUser.bob.userID])
        #expect(room.admits(RoomUser.ann.userID) && !room.admits(RoomUser.bob.userID) && !room.admits(nil))
        #expect(room.revise(RoomRevision(isPrivate: false), at: Timestamp(milliseconds: 6)).isEmpty)
        #expect(room.admits(nil))
    }

    @Test mutating func isIdleOnlyWhenNothingWouldBeLost() {
        #expect(room.isIdle)
        _ = join(.ann, 1)
        #expect(!room.isIdle)
        _ = room.commitAll(at: .at(0))
        _ = leave(1, isBroken: true, at: 0)
        #expect(!room.isIdle)
        _ = tick(5000)
        #expect(room.isIdle)
        room.announced(lastSequence: 1, at: .at(6000))
        #expect(!room.isIdle)
    }
}
