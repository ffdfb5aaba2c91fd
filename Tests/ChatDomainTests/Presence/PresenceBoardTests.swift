import ChatDomain
import Testing

private func presence(_ user: String, _ status: PresenceStatus, sessions: Int = 1) -> UserPresence {
    UserPresence(
        user: RoomUser(userID: UserID(unchecked: user), username: user), actualStatus: status,
        lastSeen: Timestamp(milliseconds: 1), sessions: status == .offline ? 0 : sessions)
}

@Suite struct PresenceBoardTests {
    var board = PresenceBoard()

    @Test mutating func anUnchangedStatusIsNoEdge() {
        #expect(board.apply(presence("a", .online))?.before == .offline)
        #expect(board.apply(presence("a", .online, sessions: 2)) == nil)
        #expect(board.apply(presence("a", .busy))?.before == .online)
        #expect(board.apply(presence("b", .offline)) == nil)
    }

    @Test mutating func hidingIsAnEdgeForOthersOnlyWhenTheyCouldSee() {
        #expect(board.apply(presence("a", .invisible))?.isVisible == false)
        #expect(board.apply(presence("a", .online))?.isVisible == true)
        #expect(board.apply(presence("a", .invisible))?.isVisible == true)
        #expect(board.apply(presence("a", .offline))?.isVisible == false)
        #expect(board.presence(of: UserID(unchecked: "a")) == nil)
    }

    @Test mutating func signsOfLifeMoveWhenAVisibleUserWasSeen() {
        func seen(_ user: String) -> Int64? { board.presence(of: UserID(unchecked: user))?.lastSeen.milliseconds }
        func sign(of user: String, at milliseconds: Int64) {
            board.see(UserID(unchecked: user), at: Timestamp(milliseconds: milliseconds))
        }
        for (user, status) in [("a", PresenceStatus.online), ("h", .invisible)] {
            _ = board.apply(presence(user, status))
            sign(of: user, at: 50)
            sign(of: user, at: 20)
        }
        sign(of: "nobody", at: 50)
        #expect(seen("a") == 50 && seen("h") == 1 && seen("nobody") == nil)
        // Later news of another instance may be older.
        #expect(board.apply(presence("a", .online, sessions: 2)) == nil)
        #expect(seen("a") == 50)
    }

    @Test mutating func aComparisonFindsTheEdgesThatWereMissed() {
        for user in ["a", "b", "c"] { _ = board.apply(presence(user, .online)) }
        let edges = board.compare(
            [presence("b", .online), presence("c", .away), presence("d", .online), .gone(UserID(unchecked: "a"))],
            at: Timestamp(milliseconds: 9))
        let told = Dictionary(
            uniqueKeysWithValues: edges.map { ($0.presence.user.userID.value, $0.presence.actualStatus) })
        #expect(told == ["a": .offline, "c": .away, "d": .online])
        #expect(edges.first { $0.presence.isGone }?.presence.lastSeen.milliseconds == 9)
    }

    @Test mutating func whatIsLearnedIsNoChange() {
        board.learn([presence("a", .busy), .gone(UserID(unchecked: "b"))])
        #expect(board.knows(UserID(unchecked: "b")) && board.presence(of: UserID(unchecked: "b")) == nil)
        #expect(board.apply(presence("a", .busy)) == nil)
        #expect(board.apply(presence("b", .online))?.before == .offline)
        // The first news of a user has the status before.
        #expect(board.apply(presence("c", .busy), before: .online)?.before == .online)
        #expect(board.apply(presence("d", .online), before: .online) == nil)
        board.forget([UserID(unchecked: "a"), UserID(unchecked: "c")])
        #expect(board.count == 2 && !board.knows(UserID(unchecked: "a")))
    }

    @Test mutating func thereAndBackWithinASpanIsNothing() {
        var coalescer = PresenceCoalescer()
        coalescer.add(PresenceEdge(before: .online, presence: presence("a", .offline)))
        coalescer.add(PresenceEdge(before: .offline, presence: presence("a", .online)))
        coalescer.add(PresenceEdge(before: .offline, presence: presence("b", .online)))
        coalescer.add(PresenceEdge(before: .online, presence: presence("b", .busy)))
        let edges = coalescer.take()
        #expect(edges.map(\.presence.actualStatus) == [.busy])
        #expect(edges.map(\.before) == [.offline])
        #expect(coalescer.isEmpty)
    }

    @Test func aWatchListTakesAllOrNothingPastItsLimit() throws {
        var list = WatchList()
        let users = (0..<1001).map { UserID(unchecked: "u\($0)") }
        try list.add(Array(users[..<600]))
        #expect(throws: ChatError.self) { try list.add(Array(users[500...])) }
        #expect(list.users.count == 600)
        try list.add(Array(users[..<1000]))
        list.remove(Array(users[..<999]))
        #expect(list.users == [users[999]])
    }
}
