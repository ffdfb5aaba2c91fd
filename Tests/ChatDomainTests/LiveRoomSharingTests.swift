import Testing

@testable import ChatDomain

/// A room with members on other instances: the announcements to members here, and the news to the others.
@Suite struct LiveRoomSharingTests {
    private let one = InstanceID("one")
    private let two = InstanceID("two")
    private var room = LiveRoom.open(last: 5)

    private mutating func join(_ user: RoomUser, _ slot: Int) -> [RoomEffect] {
        room.join(user, session: .slot(slot), at: .at(0)).effects
    }

    private mutating func hear(_ news: RoomNews, from instance: InstanceID? = nil, at now: Int64 = 0) -> [RoomEffect] {
        room.receive(news, from: instance ?? one, at: .at(now))
    }

    @Test mutating func aUserHereAndThereIsAnnouncedOnceAndCountedOnce() {
        #expect(hear(.joined(.ann)).compactMap(\.announced) == [.joined(.ann)])
        let here = join(.ann, 1)
        #expect(here.compactMap(\.announced) == [])
        #expect(here.compactMap(\.shared) == [.joined(.ann)])
        #expect(room.state.online == 1)
        #expect(hear(.left("ann")).compactMap(\.announced) == [])
        let gone = room.leave(.slot(1), isBroken: false, at: .at(1))
        #expect(gone.compactMap(\.announced) == [.left(.ann)])
        #expect(gone.compactMap(\.shared) == [.left("ann")])
        #expect(room.state.online == 0)
    }

    @Test mutating func aUserThatIsStillElsewhereHasNotLeft() {
        _ = join(.ann, 1)
        _ = hear(.joined(.ann))
        let gone = room.leave(.slot(1), isBroken: false, at: .at(1))
        #expect(gone.compactMap(\.announced) == [])
        #expect(gone.compactMap(\.shared) == [.left("ann")])
        #expect(room.state.online == 1)
        #expect(hear(.left("ann")).compactMap(\.announced) == [.left(.ann)])
    }

    @Test mutating func typingElsewhereEndsWithTheUser() {
        _ = hear(.joined(.ann))
        #expect(hear(.typing(.ann, isTyping: true)).compactMap(\.announced) == [.typing(.ann, isTyping: true)])
        #expect(hear(.typing(.ann, isTyping: true)).isEmpty)
        #expect(hear(.left("ann")).compactMap(\.announced) == [.typing(.ann, isTyping: false), .left(.ann)])
    }

    @Test mutating func aRosterIsAnsweredWhenItAsks() {
        _ = join(.ann, 1)
        let asked = hear(.roster([.bob, .ann], asks: true))
        #expect(asked.compactMap(\.announced) == [.joined(.bob)])
        #expect(asked.compactMap(\.shared) == [.roster([.ann], asks: false)])
        #expect(room.state.online == 2)
        let answered = hear(.roster([.cat], asks: false))
        #expect(answered.compactMap(\.announced) == [.joined(.cat), .left(.bob)])
        #expect(answered.compactMap(\.shared) == [])
    }

    @Test mutating func aRosterThatDiffersIsAskedFor() {
        _ = join(.ann, 1)
        _ = hear(.roster([.bob, .cat], asks: false))
        #expect(hear(.present(RosterDigest(["cat", "bob"]))).isEmpty, "in any order")
        for known in [["bob"], ["bob", "ann"], ["bob", "cat", "dan"], []] as [[UserID]] {
            #expect(hear(.present(RosterDigest(known))).compactMap(\.shared) == [.roster([.ann], asks: true)])
        }
        #expect(hear(.present(RosterDigest(["cat"])), from: two).count == 1, "each speaks for itself")
    }

    @Test mutating func aRosterIsComparedWhereUsersAre() {
        #expect(room.compareRosters(at: .at(0)).isEmpty)
        _ = join(.ann, 1)
        #expect(room.compareRosters(at: .at(0)).compactMap(\.shared) == [.present(RosterDigest(["ann"]))])
    }

    @Test mutating func anInstanceThatStopsToTellIsGivenUp() {
        _ = hear(.roster([.bob], asks: false))
        _ = hear(.roster([.cat], asks: false), from: two)
        _ = hear(.present(RosterDigest(["bob"])))
        for round in 1...2 { #expect(room.compareRosters(at: .at(0)).isEmpty, "round \(round)") }
        _ = hear(.present(RosterDigest(["bob"])))
        for round in 1...2 { #expect(room.compareRosters(at: .at(0)).isEmpty, "round \(round) again") }
        // An instance of an older version, which never sent a digest, is left alone.
        #expect(room.compareRosters(at: .at(0)).compactMap(\.announced) == [.left(.bob)])
        for _ in 1...5 { #expect(room.compareRosters(at: .at(0)).isEmpty) }
    }

    @Test mutating func anInstanceThatIsSilentAfterContactWasLostIsGivenUp() {
        _ = hear(.joined(.ann), from: one)
        _ = hear(.joined(.bob), from: two)
        #expect(room.contactMade(at: .at(100)).compactMap(\.shared) == [.roster([], asks: true)])
        _ = hear(.roster([.bob], asks: false), from: two, at: 200)
        #expect(room.deadline == .at(.milliseconds(100) + RoomAttendance.rosterTimeout))
        #expect(room.tick(at: .at(.milliseconds(99) + RoomAttendance.rosterTimeout)).isEmpty)
        #expect(
            room.tick(at: .at(.milliseconds(100) + RoomAttendance.rosterTimeout)).compactMap(\.announced) == [
                .left(.ann)
            ])
        #expect(room.deadline == nil)
    }

    @Test mutating func aDeadInstanceTakesItsUsersAlong() {
        _ = join(.cat, 1)
        for user in [RoomUser.ann, .cat] { _ = hear(.joined(user), from: one) }
        _ = hear(.joined(.bob), from: two)
        #expect(room.lost(one, at: .at(1)).compactMap(\.announced) == [.left(.ann)])
        #expect(room.lost(one, at: .at(2)).isEmpty)
        #expect(room.state.online == 2)
    }

    @Test mutating func aViewShowsThoseElsewhereOnce() {
        room = .open()
        _ = join(.ann, 1)
        for user in [RoomUser.ann, .bob] { _ = hear(.joined(user)) }
        guard case .view(let view) = room.view(HistoryRequest()) else {
            Issue.record("an empty room needs no reading")
            return
        }
        #expect(Set(view.users.map(\.userID)) == ["ann", "bob"] && view.users.count == 2)
    }

    // MARK: Comparing with the store

    @Test mutating func aRefreshFindsMessagesThatWereNeverPublished() {
        var snapshot = RoomSnapshot(room: room.room, participants: ["ann"], lastSequence: 8)
        snapshot.room.name = "renamed elsewhere"
        let revision = room.participantsRevision
        #expect(room.refresh(snapshot, at: .at(0)) == [])
        #expect(room.room.name == "renamed elsewhere" && room.participants == ["ann"])
        #expect(room.participantsRevision != revision)
        #expect(room.tick(at: .at(MessageTimeline.repairDelay)).compactMap(\.repaired) == [5])
        let effects = room.repaired(Message.numbers(6...8), reachedEnd: true, at: .at(200))
        #expect(effects.compactMap(\.delivered) == [[6, 7, 8]])
        #expect(room.deadline == nil)
    }

    @Test mutating func whatComesWhileTheStoreIsReadIsDeliveredOnceAndInOrder() {
        room.announced(lastSequence: 7, at: .at(0))
        #expect(room.tick(at: .at(MessageTimeline.repairDelay)).compactMap(\.repaired) == [5])
        #expect(hear(.message(.number(8)), at: 160).isEmpty)
        #expect(hear(.message(.number(6)), at: 170).compactMap(\.delivered) == [[6]])
        let effects = room.repaired(Message.numbers(6...7), reachedEnd: true, at: .at(180))
        #expect(effects.compactMap(\.delivered) == [[7, 8]])
    }

    @Test mutating func anAnnouncedNumberTheStoreDoesNotHaveIsWaitedForNoLonger() {
        room.announced(lastSequence: 9, at: .at(0))
        _ = room.tick(at: .at(MessageTimeline.repairDelay))
        #expect(room.repaired([] as [Message], reachedEnd: true, at: .at(200)).isEmpty)
        #expect(room.deadline == nil)
    }

    @Test func aRefreshOfAClosedRoomNamesUsersThatMayNoLongerBeThere() {
        var room = LiveRoom.closed(to: ["ann", "bob"])
        for (slot, user) in [RoomUser.ann, .bob].enumerated() {
            _ = room.join(user, session: .slot(slot), at: .at(0))
        }
        let snapshot = RoomSnapshot(room: room.room, participants: ["ann", "cat"], lastSequence: 0)
        #expect(room.refresh(snapshot, at: .at(0)) == ["bob"])
        #expect(room.participants == ["ann", "cat"])
    }
}

extension RoomEffect {
    var shared: RoomNews? {
        if case .share(let news) = self { news } else { nil }
    }
}
