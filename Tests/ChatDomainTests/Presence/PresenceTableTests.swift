import ChatDomain
import Testing

private let alice = UserID(unchecked: "alice")

private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

private func record(_ id: String, at seconds: Int64 = 0) -> SessionRecord {
    SessionRecord(
        id: SessionID(id), instance: InstanceID("i1"), user: RoomUser(userID: alice, username: "Alice"),
        connectedAt: time(seconds))
}

@Suite struct PresenceTableTests {
    var table = PresenceTable()

    private mutating func connect(_ id: String, at seconds: Int64 = 0, limit: Int = 0) -> UserPresence? {
        table.connect(record(id, at: seconds), limit: limit, at: time(seconds)).change
    }

    private mutating func update(_ id: String, _ update: SessionUpdate, at seconds: Int64 = 0) -> UserPresence? {
        table.update(SessionID(id), of: alice, update, at: time(seconds))
    }

    private mutating func remove(_ id: String, at seconds: Int64 = 0) -> UserPresence? {
        table.remove(SessionID(id), of: alice, at: time(seconds))
    }

    @Test mutating func aUserIsOnlineFromTheFirstSessionToTheLast() {
        #expect(connect("a")?.status == .online)
        #expect(connect("b")?.sessions == 2)
        #expect(remove("a")?.status == .online)
        #expect(remove("b")?.status == .offline)
        #expect(table.presence(of: alice) == nil)
    }

    @Test mutating func whatComesFromAUserMovesWhenOthersSawThem() {
        _ = connect("a")
        table.see(alice, at: time(5))
        table.see(alice, at: time(3))
        #expect(table.presence(of: alice)?.lastSeen == time(5))
        _ = update("a", .requestedStatus(.invisible), at: 6)
        table.see(alice, at: time(9))
        #expect(table.presence(of: alice)?.lastSeen == time(6), "a hidden user leaves no trace")
        table.see(UserID(unchecked: "bob"), at: time(9))
        #expect(table.presence(of: UserID(unchecked: "bob")) == nil)
    }

    @Test mutating func aSessionTakesOutItselfOnly() {
        _ = connect("a")
        #expect(remove("b") == nil)
        #expect(table.presence(of: alice)?.status == .online)
        _ = remove("a")
        #expect(remove("a") == nil)
        #expect(update("a", .requestedStatus(.busy)) == nil)
    }

    @Test mutating func aSessionThatConnectsTwiceReplacesItself() {
        _ = connect("a")
        _ = connect("a", at: 3)
        #expect(table.sessions(of: alice).map(\.connectedAt) == [time(3)])
    }

    @Test mutating func theHighestDeviceSpeaksForTheUser() {
        _ = connect("a")
        _ = connect("b")
        _ = update("a", .requestedStatus(.away))
        #expect(table.presence(of: alice)?.actualStatus == .online)
        _ = update("b", .requestedStatus(.busy))
        #expect(table.presence(of: alice)?.actualStatus == .busy)
        _ = update("b", .requestedStatus(.offline))
        #expect(table.presence(of: alice)?.actualStatus == .away)
    }

    @Test mutating func hidingBelongsToTheUser() {
        _ = connect("a")
        _ = connect("b")
        #expect(update("a", .requestedStatus(.invisible), at: 5)?.status == .offline)
        #expect(table.presence(of: alice)?.actualStatus == .invisible)
        #expect(connect("c", at: 6)?.actualStatus == .invisible)
        #expect(remove("a", at: 7)?.status == .offline)
        #expect(update("c", .requestedStatus(.online), at: 8)?.status == .online)
    }

    @Test mutating func theHiddenLeaveNoTraceOfWhenTheyWereThere() {
        _ = connect("a")
        _ = update("a", .requestedStatus(.invisible), at: 5)
        _ = update("a", .active, at: 60)
        #expect(table.presence(of: alice)?.lastSeen == time(5))
        #expect(remove("a", at: 90)?.lastSeen == time(5))
    }

    @Test mutating func aUserInTheGracePeriodIsInSightAndWasSeenWhenTheConnectionBroke() {
        _ = connect("a")
        _ = update("a", .requestedStatus(.busy), at: 1)
        #expect(update("a", .disconnected, at: 10)?.status == .busy)
        #expect(table.sessions(of: alice).isEmpty)
        #expect(connect("b", at: 12)?.actualStatus == .busy)
        #expect(remove("a", at: 15) == nil)
        _ = update("b", .disconnected, at: 20)
        let gone = remove("b", at: 25)
        #expect(gone?.status == .offline)
        #expect(gone?.lastSeen == time(20))
    }

    @Test mutating func aDisconnectedDeviceDoesNotCountBesideAConnectedOne() {
        _ = connect("a")
        _ = connect("b")
        _ = update("a", .requestedStatus(.busy))
        #expect(update("a", .disconnected)?.actualStatus == .online)
    }

    @Test mutating func anIdleDeviceIsAway() {
        _ = connect("a")
        #expect(update("a", .idle(true), at: 1)?.status == .away)
        #expect(update("a", .active, at: 2)?.status == .online)
        _ = update("a", .requestedStatus(.busy), at: 3)
        #expect(update("a", .idle(true), at: 4) == nil)
    }

    @Test mutating func theOldestGivesWayAndCountsNoMore() {
        _ = connect("a", limit: 2)
        _ = connect("b", limit: 2)
        let third = table.connect(record("c"), limit: 2, at: time(1))
        #expect(third.evicted.map(\.id.value) == ["a"])
        #expect(table.connect(record("d"), limit: 2, at: time(2)).evicted.map(\.id.value) == ["b"])
        #expect(table.sessions(of: alice).map(\.id.value) == ["c", "d"])
        #expect(table.connect(record("e"), limit: 0, at: time(2)).evicted.isEmpty)
    }

    /// The order is made by the first list, and kept by what comes after.
    @Test func onlineUsersAreListedInTheOrderOfTheirIDs() {
        var table = PresenceTable()
        func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }
        func connect(_ name: String) {
            let user = RoomUser(userID: UserID(unchecked: name), username: name)
            _ = table.connect(
                SessionRecord(
                    id: SessionID(name), instance: InstanceID("i"), user: user, connectedAt: time(1)),
                limit: 0, at: time(1))
        }
        func names(after cursor: String? = nil, limit: Int = 10) -> [String] {
            table.online(after: cursor.map { UserID(unchecked: $0) }, limit: limit).users.map(\.user.userID.value)
        }
        for name in ["c", "a", "e"] { connect(name) }
        #expect(names() == ["a", "c", "e"])
        for name in ["d", "b"] { connect(name) }
        _ = table.update(
            SessionID("c"), of: UserID(unchecked: "c"), .requestedStatus(.invisible), at: time(2))
        _ = table.remove(SessionID("e"), of: UserID(unchecked: "e"), at: time(3))
        #expect(names() == ["a", "b", "d"] && table.onlineCount == 3)
        #expect(names(after: "b") == ["d"] && names(after: "aa", limit: 1) == ["b"] && names(after: "d").isEmpty)
        let page = table.online(after: nil, limit: 2)
        #expect(page.next == UserID(unchecked: "b") && page.count == 3)
        #expect(table.online(after: page.next, limit: 2).next == nil)
        #expect(table.online(after: nil, limit: 0).users.isEmpty)
    }
}
