import ChatDomain
import PersistenceRedis
import TestSupport
import Testing

/// Following users, and lists of online users, over every implementation. The users are on another instance where there can be one.
@Suite(.serialized) struct DirectoryFollowTests {
    private static let alice = UserID(unchecked: "alice")
    private static let bob = UserID(unchecked: "bob")

    private struct Pair {
        /// Follows and lists.
        let here: DirectoryUnderTest
        /// Has the sessions.
        let there: DirectoryUnderTest

        init(_ kind: DirectoryKind) async throws {
            here = try await DirectoryUnderTest(kind)
            there = kind != .inProcess ? try await DirectoryUnderTest(kind, instance: "i2", beside: here) : here
        }

        private var isAlone: Bool { here.instance == there.instance }

        func connect(_ session: String, of user: String, at time: Int64 = 1) async {
            _ = await there.connect(record(session, of: user, at: time, on: there.instance.value))
        }

        func set(_ session: String, of user: String, _ status: PresenceStatus) {
            there.directory.update(
                SessionID(session), of: UserID(unchecked: user), .requestedStatus(status),
                at: Timestamp(milliseconds: 2))
        }

        /// What the instance here keeps of a user.
        func status(of user: UserID) -> PresenceStatus? { here.events.board.presence(of: user)?.actualStatus }

        func close() async {
            if !isAlone { await there.close() }
            await here.close()
        }
    }

    @Test(arguments: DirectoryKind.allCases)
    func aFollowedUserIsShownAsItStandsAndThenAsItChanges(_ kind: DirectoryKind) async throws {
        let pair = try await Pair(kind)
        await pair.connect("a", of: "alice")
        pair.set("a", of: "alice", .busy)
        _ = await pair.there.directory.sessions(of: Self.alice)
        pair.here.directory.follow([Self.alice, Self.bob])
        await pair.here.directory.load([Self.alice, Self.bob])
        #expect(pair.status(of: Self.alice) == .busy && pair.status(of: Self.bob) == nil)
        await pair.connect("b", of: "bob")
        pair.set("a", of: "alice", .away)
        #expect(await eventually { pair.status(of: Self.bob) == .online && pair.status(of: Self.alice) == .away })
        await pair.close()
    }

    @Test func usersThatAreNotFollowedAreNotKept() async throws {
        let pair = try await Pair(.redis)
        let directory = try #require(pair.here.directory as? RedisDirectory)
        for number in 0..<50 { await pair.connect("s\(number)", of: "u\(number)") }
        directory.follow([Self.alice, Self.bob])
        await pair.connect("a", of: "alice")
        await pair.connect("b", of: "bob")
        #expect(await eventually { pair.status(of: Self.alice) == .online && pair.status(of: Self.bob) == .online })
        #expect(directory.keptUsers == 2 && pair.here.events.board.count == 2)
        directory.unfollow([Self.alice])
        #expect(pair.status(of: Self.alice) == nil && directory.keptUsers == 1)
        pair.set("b", of: "bob", .busy)
        pair.set("a", of: "alice", .busy)
        #expect(await eventually { pair.here.changes(Self.alice).last?.actualStatus == .busy }, "in passing")
        #expect(pair.status(of: Self.alice) == nil && pair.status(of: Self.bob) == .busy)
        await pair.close()
    }

    @Test func everybodyIsKeptWhileEverybodyIsFollowed() async throws {
        let pair = try await Pair(.redis)
        for number in 0..<30 { await pair.connect("s\(number)", of: "u\(number)") }
        pair.here.directory.followEverybody()
        #expect(await eventually { pair.here.events.board.count == 30 })
        await pair.connect("a", of: "alice")
        #expect(await eventually { pair.status(of: Self.alice) == .online })
        pair.there.directory.remove(SessionID("a"), of: Self.alice, at: Timestamp(milliseconds: 3))
        #expect(await eventually { pair.here.events.board.count == 30 && !pair.here.events.board.knows(Self.alice) })
        await pair.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func usersAreReadWithoutBeingFollowed(_ kind: DirectoryKind) async throws {
        let pair = try await Pair(kind)
        await pair.connect("a", of: "alice")
        let found = await pair.here.directory.presence(of: [Self.alice, Self.bob])
        #expect(found.mapValues(\.actualStatus) == [Self.alice: .online])
        #expect(found[Self.alice]?.user.username == "alice" && found[Self.alice]?.sessions == 1)
        #expect(await pair.here.directory.presence(of: []).isEmpty)
        await pair.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func onlineUsersAreListedInPages(_ kind: DirectoryKind) async throws {
        let pair = try await Pair(kind)
        // In the order of bytes, and more of them than one pipeline reads.
        let names = (0..<450).map { "u\($0)" } + ["Z", "é", "\u{1F600}"]
        for name in names { await pair.connect("s-\(name)", of: name) }
        await pair.connect("hidden", of: "hidden")
        pair.set("hidden", of: "hidden", .invisible)
        _ = await pair.there.directory.sessions(of: Self.alice)
        let expected = names.map { UserID(unchecked: $0) }.sorted()
        #expect(await pair.here.directory.onlineCount() == expected.count)
        var (found, cursor): ([UserID], UserID?) = ([], nil)
        repeat {
            let page = await pair.here.directory.online(after: cursor, limit: 200)
            #expect(page.count == expected.count && page.users.count <= 200)
            found += page.users.map(\.user.userID)
            cursor = page.next
        } while cursor != nil && found.count < 1000
        #expect(found == expected)
        let none = await pair.here.directory.online(after: nil, limit: 0)
        #expect(none.users.isEmpty && none.count == expected.count)
        pair.there.directory.remove(SessionID("s-Z"), of: UserID(unchecked: "Z"), at: Timestamp(milliseconds: 3))
        _ = await pair.there.directory.sessions(of: Self.alice)
        #expect(await pair.here.directory.onlineCount() == expected.count - 1)
        await pair.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func theNumberOfOnlineUsersIsDelivered(_ kind: DirectoryKind) async throws {
        let pair = try await Pair(kind)
        await pair.connect("a", of: "alice")
        await pair.connect("b", of: "bob")
        #expect(await eventually { pair.here.events.counts.last == 2 })
        await pair.close()
    }

    @Test func withoutRedisTheUsersOfThisInstanceAreListed() async throws {
        let test = try await DirectoryUnderTest(.redis)
        for name in ["b", "a", "c"] { _ = await test.connect(record("s-\(name)", of: name)) }
        test.killServer()
        #expect(await eventually { await test.directory.others() == nil })
        let page = await test.directory.online(after: UserID(unchecked: "a"), limit: 1)
        #expect(page.users.map(\.user.userID.value) == ["b"] && page.next?.value == "b" && page.count == 3)
        #expect(await test.directory.onlineCount() == 3)
        let found = await test.directory.presence(of: [UserID(unchecked: "c"), Self.bob])
        #expect(found.keys.map(\.value) == ["c"])
        test.directory.follow([Self.bob])
        await test.directory.load([Self.bob])
        await test.close()
    }
}
