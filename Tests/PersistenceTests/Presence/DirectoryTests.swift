import ChatDomain
import TestSupport
import Testing

/// The duties of `SessionDirectory`, over every implementation.
@Suite(.serialized) struct DirectoryTests {
    private let alice = UserID(unchecked: "alice")

    private func time(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test(arguments: DirectoryKind.allCases)
    func changesAreDeliveredInOrder(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        #expect(await test.connect(record("a", at: 1)).isEmpty)
        test.directory.update(SessionID("a"), of: alice, .requestedStatus(.busy), at: time(2))
        test.directory.update(SessionID("a"), of: alice, .renamed("Alice"), at: time(3))
        test.directory.update(SessionID("a"), of: alice, .requestedStatus(.invisible), at: time(4))
        test.directory.update(SessionID("a"), of: alice, .active, at: time(9))
        test.directory.remove(SessionID("a"), of: alice, at: time(10))
        #expect(await eventually { test.changes(alice).last?.actualStatus == .offline })
        #expect(test.changes(alice).map(\.actualStatus) == [.online, .busy, .busy, .invisible, .offline])
        #expect(test.changes(alice).last?.user.username == "Alice")
        #expect(test.changes(alice).last?.lastSeen == time(4))
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func anUnknownSessionIsIgnored(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        test.directory.update(SessionID("x"), of: alice, .requestedStatus(.busy), at: time(1))
        test.directory.remove(SessionID("x"), of: alice, at: time(2))
        _ = await test.connect(record("a"))
        test.directory.remove(SessionID("x"), of: alice, at: time(3))
        #expect(await eventually { !test.changes(alice).isEmpty })
        #expect(await test.directory.sessions(of: alice).map(\.id.value) == ["a"])
        #expect(test.changes(alice).map(\.actualStatus) == [.online])
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func aSessionRemovedTwiceMayConnectAgain(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        _ = await test.connect(record("a", at: 1))
        _ = await test.connect(record("b", at: 2))
        test.directory.remove(SessionID("a"), of: alice, at: time(3))
        test.directory.remove(SessionID("a"), of: alice, at: time(4))
        #expect(await test.directory.sessions(of: alice).map(\.id.value) == ["b"])
        // Once as if it had come back, and once more in its own place.
        _ = await test.connect(record("a", at: 5))
        _ = await test.connect(record("a", at: 6))
        #expect(await test.directory.sessions(of: alice).map(\.id.value) == ["b", "a"])
        for session in ["a", "b", "b", "a"] { test.directory.remove(SessionID(session), of: alice, at: time(7)) }
        #expect(await eventually { test.changes(alice).last?.actualStatus == .offline })
        #expect(test.changes(alice).map(\.sessions) == [1, 2, 1, 2, 2, 1, 0])
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func activityIsDelivered(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        _ = await test.connect(record("a", at: 1000))
        test.directory.update(SessionID("a"), of: alice, .active, at: time(5000))
        #expect(await eventually { test.changes(alice).last?.lastSeen == time(5000) })
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func aDeviceWithoutANameDoesNotRemoveTheName(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        var named = record("a", at: 1)
        named.user.username = "Alice"
        _ = await test.connect(named)
        _ = await test.connect(record("b", at: 2))
        #expect(await eventually { test.changes(alice).last?.sessions == 2 })
        #expect(test.changes(alice).map(\.user.username) == ["Alice", "Alice"])
        named.id = SessionID("c")
        named.user.username = "Alicia"
        _ = await test.connect(named)
        #expect(await eventually { test.changes(alice).last?.user.username == "Alicia" })
        await test.close()
    }

    /// A status requested here holds here at once, whatever older news arrives.
    @Test(arguments: DirectoryKind.allCases)
    func hidingHoldsHereAtOnce(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        _ = await test.connect(record("a", at: 1))
        #expect(test.directory.ownPresence(of: alice)?.actualStatus == .online)
        test.directory.update(SessionID("a"), of: alice, .requestedStatus(.invisible), at: time(2))
        #expect(test.directory.ownPresence(of: alice)?.actualStatus == .invisible)
        #expect(test.directory.ownPresence(of: UserID(unchecked: "bob")) == nil)
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func theOldestGivesWay(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind, maximumSessions: 2)
        // The clocks of instances differ: what came first decides.
        #expect(await test.connect(record("a", at: 9000)).isEmpty)
        #expect(await test.connect(record("b", at: 100)).isEmpty)
        #expect(await test.connect(record("c", at: 50)) == [SessionID("a")])
        #expect(await test.directory.sessions(of: alice).map(\.id.value) == ["b", "c"])
        #expect(await test.directory.instances(of: [alice, UserID(unchecked: "bob")]) == [alice: [InstanceID("i1")]])
        #expect(await test.directory.isAlive(InstanceID("i1")))
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func recordsAreKeptInFull(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        let odd = "al\"ice{}\u{1F600}\n"
        var expected = record("a", of: odd, at: 1_700_000_000_123)
        _ = await test.connect(expected)
        let user = UserID(unchecked: odd)
        test.directory.update(SessionID("a"), of: user, .idle(true), at: time(1_700_000_000_200))
        expected.isIdle = true
        #expect(await test.directory.sessions(of: user) == [expected])
        await test.close()
    }

    @Test(arguments: DirectoryKind.allCases)
    func aResumedSessionKeepsItsStatus(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        _ = await test.connect(record("a", at: 1))
        test.directory.update(SessionID("a"), of: alice, .requestedStatus(.busy), at: time(2))
        test.directory.update(SessionID("a"), of: alice, .disconnected, at: time(3))
        _ = await test.connect(record("a", at: 4))
        #expect(await test.directory.sessions(of: alice).map(\.requestedStatus) == [.busy])
        // All three announcements say one session, so only their number shows that the last one came.
        #expect(await eventually { test.changes(alice).count == 4 })
        #expect(test.changes(alice).map(\.actualStatus) == [.online, .busy, .busy, .busy])
        await test.close()
    }

    /// A session may connect to another instance before the one that it left has removed it.
    @Test func aMovedSessionBelongsToTheNewInstance() async throws {
        let left = try await DirectoryUnderTest(.redis)
        let right = try await DirectoryUnderTest(.redis, instance: "i2", beside: left)
        _ = await left.connect(record("a", at: 1))
        left.directory.update(SessionID("a"), of: alice, .requestedStatus(.busy), at: time(2))
        // Each has a connection of its own, so commands of one are awaited before the other sends.
        _ = await left.directory.sessions(of: alice)
        _ = await right.connect(record("a", at: 3, on: "i2"))
        left.directory.update(SessionID("a"), of: alice, .disconnected, at: time(4))
        left.directory.update(SessionID("a"), of: alice, .requestedStatus(.away), at: time(5))
        left.directory.remove(SessionID("a"), of: alice, at: time(6))
        // Behind all that on the same connection.
        _ = await left.connect(record("b", of: "bob", at: 7))
        let sessions = await right.directory.sessions(of: alice)
        #expect(sessions.map(\.instance.value) == ["i2"])
        #expect(sessions.map(\.requestedStatus) == [.busy] && sessions.map(\.isDisconnected) == [false])
        // The instance that it left closes and removes its sessions, but not this one.
        await left.directory.close()
        #expect(await right.directory.sessions(of: alice).map(\.id.value) == ["a"])
        #expect(!right.changes(alice).contains { $0.actualStatus == .offline })
        await right.close()
        await left.close()
    }

    /// Random commands lead to the same users, sessions and times as the rules do.
    @Test(arguments: DirectoryKind.allCases)
    func randomSequencesFollowTheRules(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind, maximumSessions: 3)
        var random = SplitMix(seed: 20)
        var rules = PresenceTable()
        let users = ["alice", "bob"].map { UserID(unchecked: $0) }
        for step in 0..<1500 {
            let user = users.randomElement(using: &random)!
            let id = SessionID("\(user)-\(Int.random(in: 0..<5, using: &random))")
            let now = time(Int64(1000 + step))
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                var new = record(id.value, of: user.value, at: now.milliseconds)
                new.lastActiveAt = now
                let expected = rules.connect(new, limit: 3, at: now).evicted.map(\.id)
                #expect(await test.connect(new) == expected, "step \(step)")
            case 2:
                _ = rules.remove(id, of: user, at: now)
                test.directory.remove(id, of: user, at: now)
            default:
                let update: SessionUpdate = [
                    .requestedStatus(PresenceStatus.allCases.randomElement(using: &random)!),
                    .idle(.random(using: &random)),
                    .active, .renamed("name-\(step)"), .disconnected,
                ].randomElement(using: &random)!
                _ = rules.update(id, of: user, update, at: now)
                test.directory.update(id, of: user, update, at: now)
            }
            if step % 50 == 0 {
                for user in users {
                    #expect(
                        await test.directory.sessions(of: user) == rules.sessions(of: user), "\(user) at step \(step)")
                }
            }
        }
        for user in users {
            let expected = rules.presence(of: user)
            let isRight = await eventually {
                let last = test.changes(user).last
                return last?.actualStatus == expected?.actualStatus ?? .offline
                    && last?.sessions == expected?.sessions ?? 0
                    && (expected == nil || last?.user == expected?.user)
            }
            #expect(isRight, "\(String(describing: test.changes(user).last)) is not \(String(describing: expected))")
        }
        await test.close()
    }
}
