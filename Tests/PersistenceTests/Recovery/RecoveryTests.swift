import ChatDomain
import RedisLink
import RedisTestSupport
import TestSupport
import Testing

/// The duties of `RecoveryStore`, over every implementation.
@Suite(.serialized) struct RecoveryTests {
    @Test(arguments: RecoveryKind.allCases)
    func aKeptSessionIsReturnedOnce(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind)
        let session = RecoveryUnderTest.session(rooms: ["r": 7, "direct:a:b%3A": 1, "\"{}\\": 9_007_199_254_740_989])
        test.store.keep(session, under: "k", for: .seconds(60))
        #expect(await test.store.take("other") == nil)
        #expect(await test.store.take("k") == session)
        #expect(await test.store.take("k") == nil)
        #expect(await test.other.take("k") == nil)
        await test.close()
    }

    @Test(arguments: RecoveryKind.allCases)
    func aSessionWithoutOptionalPartsIsWhole(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind)
        var session = RecoveryUnderTest.session(rooms: [:])
        session.profile = Profile()
        session.tokenExpiresAt = nil
        test.store.keep(session, under: "k", for: .seconds(60))
        #expect(await test.store.take("k") == session)
        await test.close()
    }

    @Test(arguments: RecoveryKind.allCases)
    func onlyOneOfManyGetsIt(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind)
        for round in 0..<20 {
            test.store.keep(RecoveryUnderTest.session(), under: "k\(round)", for: .seconds(60))
            _ = await test.store.take("after what was kept")
            let winners = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<10 {
                    let store = index % 2 == 0 ? test.store : test.other
                    group.addTask { await store.take("k\(round)") != nil }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(winners == 1)
        }
        await test.close()
    }

    @Test(arguments: RecoveryKind.allCases)
    func theLastSessionUnderAKeyCounts(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind)
        test.store.keep(RecoveryUnderTest.session(rooms: ["r": 7]), under: "k", for: .seconds(60))
        let later = RecoveryUnderTest.session(rooms: ["r": 8])
        test.store.keep(later, under: "k", for: .seconds(60))
        #expect(await test.store.take("k") == later)
        await test.close()
    }

    @Test(arguments: RecoveryKind.allCases)
    func anExpiredSessionIsNotReturned(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind)
        test.store.keep(RecoveryUnderTest.session(), under: "short", for: .milliseconds(30))
        test.store.keep(RecoveryUnderTest.session(), under: "long", for: .seconds(60))
        _ = await test.store.take("after what was kept")
        try await test.expire("short", after: .milliseconds(60))
        #expect(await test.store.take("short") == nil)
        #expect(await test.store.take("long") != nil)
        await test.close()
    }

    @Test(arguments: RecoveryKind.allCases)
    func pastItsCapacityTheOldestAreDropped(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind, capacity: 3)
        // Keys such as 00 and 11 are of one space.
        for index in 0..<5 {
            try await test.waitForClock()
            test.store.keep(RecoveryUnderTest.session(), under: "\(index)\(index)", for: .seconds(60))
            _ = await test.store.take("after what was kept")
        }
        var left: [Int] = []
        for index in 0..<5 where await test.other.take("\(index)\(index)") != nil { left.append(index) }
        #expect(left == [2, 3, 4])
        await test.close()
    }

    @Test(arguments: RecoveryKind.allCases)
    func sessionsOfALoggedOutUserAreForgotten(_ kind: RecoveryKind) async throws {
        let test = try await RecoveryUnderTest(kind)
        test.store.keep(RecoveryUnderTest.session("ada"), under: "a", for: .seconds(60))
        test.store.keep(RecoveryUnderTest.session("bob"), under: "b", for: .seconds(60))
        _ = await test.store.take("after what was kept")
        test.other.forget(UserID(unchecked: "ada"), keptFor: .seconds(60))
        #expect(await test.other.take("a") == nil)
        #expect(await test.other.take("b") != nil)
        // Later sessions are kept again.
        try await test.waitForClock()
        test.other.keep(RecoveryUnderTest.session("ada"), under: "a", for: .seconds(60))
        #expect(await test.other.take("a") != nil)
        await test.close()
    }
}

/// Behaviour of the store in Redis alone.
@Suite(.serialized) struct RedisRecoveryTests {
    @Test func everyKeyExpires() async throws {
        let test = try await RecoveryUnderTest(.redis)
        test.store.keep(RecoveryUnderTest.session(), under: "k", for: .seconds(60))
        test.store.keep(RecoveryUnderTest.session(), under: "l", for: .seconds(30))
        test.store.forget(UserID(unchecked: "bob"), keptFor: .seconds(60))
        _ = await test.store.take("after what was kept")
        let keys = try await test.ask(["KEYS", "*"])?.array?.compactMap(\.text).sorted()
        #expect(
            keys == [
                "chat-service:recovery", "chat-service:recovery:forgotten:bob", "chat-service:recovery:k",
                "chat-service:recovery:l",
            ])
        for key in keys ?? [] {
            let left = try await test.ask(["PTTL", RedisArgument(key)])?.integer ?? -1
            #expect(left > 0 && left <= 60_000, "\(key)")
        }
        // The list lives as long as the session on it that is kept longest.
        #expect(try await test.ask(["PTTL", "chat-service:recovery"])?.integer ?? 0 > 30_000)
        await test.close()
    }

    @Test func aSessionThatIsTooLargeIsNotKept() async throws {
        let test = try await RecoveryUnderTest(.redis)
        let rooms = Dictionary(
            uniqueKeysWithValues: (0..<400).map { (String(repeating: "x", count: 100) + "\($0)", 1) })
        test.store.keep(
            RecoveryUnderTest.session(rooms: rooms.mapValues { SequenceNumber($0) }), under: "k", for: .seconds(60))
        #expect(await test.store.take("k") == nil)
        await test.close()
    }

    @Test(arguments: [
        "", "{}", "null", #"{"id":"x"}"#, "[1]", "\u{0}",
        #"{"id":"x","userId":"","username":"x","verified":true,"nameVerified":true,"rooms":[],"sent":[]}"#,
        #"{"id":"x","userId":"x","username":"x","verified":true,"nameVerified":true,"rooms":[["r",-1]],"sent":[]}"#,
        #"{"id":"x","userId":"x","username":"x","verified":true,"nameVerified":true,"rooms":[["r",1]],"sent":[[1,1,1]]}"#,
        #"{"id":"x","userId":"x","username":"x","verified":true,"nameVerified":true,"rooms":[["r",1]],"sent":[[0,2,1]]}"#,
    ])
    func malformedSessionsAreNotReturned(_ text: String) async throws {
        let test = try await RecoveryUnderTest(.redis)
        _ = try await test.ask([
            "HSET", "chat-service:recovery:k", "session", RedisArgument(text), "user", "x", "kept", "1",
        ])
        #expect(await test.store.take("k") == nil)
        await test.close()
    }

    @Test func sessionsAreKeptAgainAfterAnOutage() async throws {
        let test = try await RecoveryUnderTest(.redis)
        test.server?.kill()
        test.store.keep(RecoveryUnderTest.session(), under: "k", for: .seconds(60))
        #expect(await test.store.take("k") == nil)
        try await test.server?.server.start()
        let isBack = await eventually {
            test.store.keep(RecoveryUnderTest.session(), under: "k", for: .seconds(60))
            return await test.store.take("k") != nil
        }
        #expect(isBack)
        await test.close()
    }
}
