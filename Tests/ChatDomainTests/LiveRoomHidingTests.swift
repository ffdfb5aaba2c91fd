import Testing

@testable import ChatDomain

/// Hidden users take part in a room and are not in sight there.
@Suite struct LiveRoomHidingTests {
    private let one = InstanceID("one")
    private let two = InstanceID("two")
    private var room = LiveRoom.open()

    private mutating func join(_ user: RoomUser, _ slot: Int, isHidden: Bool = false) -> [RoomEffect] {
        room.join(user, session: .slot(slot), isHidden: isHidden, at: .at(0)).effects
    }

    private mutating func hear(_ news: RoomNews, from instance: InstanceID? = nil) -> [RoomEffect] {
        room.receive(news, from: instance ?? one, at: .at(0))
    }

    private mutating func shown() -> Set<UserID> {
        guard case .view(let view) = room.view(HistoryRequest()) else { return ["unread"] }
        #expect(view.users.count == view.state.online)
        return Set(view.users.map(\.userID))
    }

    @Test mutating func aHiddenUserJoinsUnannounced() {
        for user in ["ann", "bob"] as [UserID] { room.admit(user) }
        _ = join(.bob, 1)
        #expect(join(.ann, 2, isHidden: true).isEmpty)
        #expect(shown() == ["bob"])
        #expect(room.state.members == 2 && room.members.contains("ann"))
        #expect(room.contactMade(at: .at(1)).compactMap(\.shared) == [.roster([.bob], asks: true)])
        #expect(room.leave(.slot(2), isBroken: false, at: .at(2)).isEmpty)
        // A user that comes back in sight is a newcomer.
        #expect(join(.ann, 3).compactMap(\.announced) == [.joined(.ann)])
    }

    @Test mutating func aHiddenUserWhoseConnectionBreaksLeavesUnannounced() {
        room = .open(participants: ["ann"])
        _ = join(.ann, 1, isHidden: true)
        #expect(room.leave(.slot(1), isBroken: true, at: .at(0)).isEmpty)
        #expect(room.tick(at: .at(10_000)).isEmpty)
        #expect(room.isIdle && room.state.online == 0)
    }

    @Test mutating func hidingIsLeavingAndShowingIsJoining() {
        _ = join(.bob, 1)
        _ = join(.ann, 2)
        _ = room.setTyping(.slot(2), isTyping: true, at: .at(0))
        let hiding = room.setHidden("ann", true, at: .at(1))
        #expect(hiding.compactMap(\.announced) == [.typing(.ann, isTyping: false), .left(.ann)])
        #expect(hiding.compactMap(\.shared) == [.typing(.ann, isTyping: false), .left("ann")])
        #expect(shown() == ["bob"])
        #expect(room.setHidden("ann", true, at: .at(2)).isEmpty)
        let showing = room.setHidden("ann", false, at: .at(3))
        #expect(showing.compactMap(\.announced) == [.joined(.ann)])
        #expect(showing.compactMap(\.shared) == [.joined(.ann)])
        #expect(shown() == ["ann", "bob"])
        #expect(room.setHidden("cat", true, at: .at(4)).isEmpty)
    }

    @Test mutating func anotherDeviceBringsWhatHoldsByThen() {
        _ = join(.ann, 1)
        #expect(join(.ann, 2, isHidden: true).compactMap(\.announced) == [.left(.ann)])
        #expect(join(.ann, 3).compactMap(\.announced) == [.joined(.ann)])
    }

    /// The other instance gets the news a little later; until then it says that the user is there.
    @Test mutating func aUserThatHidesHereIsOutOfSightWhateverOthersStillSay() {
        _ = hear(.joined(.ann))
        #expect(join(.ann, 1, isHidden: true).compactMap(\.announced) == [.left(.ann)])
        #expect(shown().isEmpty)
        #expect(hear(.joined(.ann), from: two).isEmpty && shown().isEmpty)
        for instance in [one, two] { #expect(hear(.left("ann"), from: instance).isEmpty) }
        #expect(shown().isEmpty)
        #expect(room.leave(.slot(1), isBroken: false, at: .at(1)).isEmpty)
    }

    @Test mutating func aDeviceElsewhereIsSeenOnceThisOneIsGone() {
        _ = join(.ann, 1, isHidden: true)
        _ = hear(.joined(.ann))
        let gone = room.leave(.slot(1), isBroken: false, at: .at(1))
        #expect(gone.compactMap(\.announced) == [.joined(.ann)] && gone.compactMap(\.shared).isEmpty)
        #expect(shown() == ["ann"])
    }

    @Test mutating func aHiddenUsersReadMarkIsKeptAndNotAnnounced() {
        room = .open(last: 3, participants: ["ann"])
        _ = join(.ann, 1, isHidden: true)
        _ = room.markRead(.slot(1), sequence: 2, origin: .request(1), at: .at(0))
        let effects = room.commitAll(at: .at(1))
        #expect(effects.compactMap(\.replied) == [.done])
        #expect(effects.compactMap(\.announced).isEmpty && effects.compactMap(\.shared).isEmpty)
    }

    @Test mutating func friendsAreShownAndCountedAlone() {
        for (slot, user) in [RoomUser.ann, .bob].enumerated() { _ = join(user, slot) }
        _ = join(.cat, 5, isHidden: true)
        _ = hear(.joined(RoomUser(userID: "dan", username: "Dan")))
        guard
            case .view(let view) = room.view(HistoryRequest(visible: VisibleUsers(only: ["ann", "cat", "dan", "eve"])))
        else {
            Issue.record("an empty room needs no reading")
            return
        }
        #expect(Set(view.users.map(\.username)) == ["Ann", "Dan"] && view.state.online == 2)
        #expect(
            room.info(by: "eve", showing: VisibleUsers(only: ["eve"])).state.online == 0
                && room.info(by: "eve").state.online == 3)
    }

    @Test mutating func inBigRoomsTheCountsFollow() {
        var limits = RoomLimits()
        limits.announcedUsers = 2
        room = .open(limits: limits)
        for number in 0..<4 { _ = join(.number(number), number) }
        _ = room.tick(at: .at(0))
        #expect(room.setHidden("u0", true, at: .at(1)).compactMap(\.announced).isEmpty)
        let state = room.tick(at: .at(StateNews.interval)).compactMap(\.announced)
        #expect(state == [.state(RoomState(roomID: "room", lastSequence: 0, members: 0, online: 3))])
    }
}

/// A device or an instance that knows no name goes by the id, which takes no name away.
@Suite struct KnownNameTests {
    private let nameless = RoomUser(userID: "ann", username: "ann")

    @Test func aRoomKeepsIt() {
        var members = RoomMembers()
        _ = members.join(.ann, session: .slot(1))
        _ = members.join(nameless, session: .slot(2))
        #expect(members.user("ann") == .ann)
        _ = members.join(RoomUser(userID: "ann", username: "Anna"), session: .slot(3))
        #expect(members.user("ann")?.username == "Anna")
    }

    @Test func aRosterKeepsIt() {
        var roster = RemoteRoster()
        _ = roster.add(.ann, of: InstanceID("one"))
        _ = roster.add(nameless, of: InstanceID("one"))
        #expect(roster.remove("ann", of: InstanceID("one")) == .ann)
    }
}
