import PersistenceRedis
import ChatDomain
import RedisLink
import RedisTestSupport
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisHistoryReadingTests {
    @Test(arguments: RedisKind.allCases) func everyPageIsThatOfTheStore(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        let home = try SQLiteHome()
        let store = try home.open(StoreOptions())
        let drafts = (1...30).map { number in
            test.drafts.next(
                "text \(number)", by: "ann", client: number % 2 == 0 ? "c\(number)" : nil,
                metadata: number % 3 == 0 ? #"{"n":\#(number),"x":[0.5,"\u0007é"]}"# : nil)
        }
        await store.append(drafts, to: "r")
        let all = try await store.history(of: "r", HistoryQuery(.latest, limit: 1000)).messages
        #expect(all.count == 30)
        for start in [0, 20] {
            test.cache.drop("r")
            test.cache.append(Array(all[start...]), to: "r")
            var (held, missed) = (0, 0)
            for cursor in Self.cursors {
                for limit in [1, 7, 50] {
                    for base: SequenceNumber in [0, 12] {
                        let query = HistoryQuery(cursor, limit: limit, base: base)
                        let cached = await test.cache.history(of: "r", query, newest: 30)
                        if let cached {
                            let stored = try await store.history(of: "r", query)
                            #expect(cached == stored, "\(query)")
                            held += 1
                        } else {
                            missed += 1
                        }
                    }
                }
            }
            #expect(held > 20)
            if start == 0 { #expect(missed == 0) } else { #expect(missed > 10) }
        }
        await store.close()
        home.remove()
        await test.close()
    }

    private static let cursors: [HistoryQuery.Cursor] =
        [.latest]
        + [-5, 0, 1, 2, 15, 25, 29, 30, 31, 99, .max].flatMap { cursor in
            [.before(cursor), .after(cursor), .around(cursor)]
        }

    @Test(arguments: RedisKind.allCases) func aFullPageIsThatOfTheStore(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        let home = try SQLiteHome()
        let store = try home.open(StoreOptions())
        let text = String(repeating: "\u{2}", count: 16_384)
        await store.append((0..<40).map { _ in test.drafts.next(text) }, to: "r")
        // Filled piece by piece: one write may weigh only so much.
        for start in stride(from: 1, through: 40, by: 5) {
            let part = try await store.history(of: "r", HistoryQuery(.after(SequenceNumber(start) - 1), limit: 5))
            test.cache.append(part.messages, to: "r")
        }
        for cursor: HistoryQuery.Cursor in [.latest, .before(30), .after(0), .after(35), .around(20)] {
            let query = HistoryQuery(cursor, limit: 1000)
            let stored = try await store.history(of: "r", query)
            // The store reckons with the most a message may take.
            let cached = try #require(await test.cache.history(of: "r", query, newest: 40))
            #expect(cached == stored, "\(query)")
        }
        await store.close()
        home.remove()
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func aListThatIsBehindOrAheadIsNoticed(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        test.cache.append(test.messages(1...10), to: "r")
        #expect(await test.page(.latest, newest: 11) == nil)
        // Another instance was further than this one.
        let ahead = try #require(await test.page(.latest, limit: 3, newest: 7))
        #expect(ahead.messages.map(\.sequence) == [8, 9, 10])
        #expect(ahead.hasMoreBefore && !ahead.hasMoreAfter)
        let after = try #require(await test.page(.after(9), newest: 9))
        #expect(after.messages.map(\.sequence) == [10])
        #expect(await test.page(.latest, newest: 0)?.messages.count == 10)
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func aRoomWithoutAListIsAMiss(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        #expect(await test.page(.latest, newest: 0) == nil)
        #expect(await test.page(.latest, newest: 5) == nil)
        #expect(test.metric("chat_history_cache_reads_total{result=\"miss\"}") == 2)
        #expect(test.dropped("malformed") == 0)
        await test.close()
    }

    @Test(arguments: [
        #"{"seq":2}"#, "garbage",
        #"{"messageId":"zz","seq":2,"roomId":"r","userId":"u","username":"n","message":"m","messageType":"text","timestamp":1}"#,
        #"{"messageId":"000000000000000000000001","seq":2,"roomId":"other","userId":"u","username":"n","message":"m","messageType":"text","timestamp":1}"#,
        #"{"messageId":"000000000000000000000001","seq":3,"roomId":"r","userId":"u","username":"n","message":"m","messageType":"text","timestamp":1}"#,
        #"{"messageId":"000000000000000000000001","seq":2,"roomId":"r","userId":"u","username":"n","message":"m","messageType":"text","timestamp":1,"metadata":"x"}"#,
    ])
    func anEntryThatIsNoMessageOfThisNumberDropsTheList(_ entry: String) async throws {
        let test = try await CacheUnderTest()
        test.cache.append(test.messages(1...3), to: "r")
        _ = try await test.client.send(["LSET", "chat:history:r", 1, RedisArgument(entry)])
        #expect(await test.page(.latest, newest: 3) == nil)
        #expect(try await test.numbers() == [])
        #expect(test.dropped("malformed") == 1)
        await test.close()
    }

    @Test func withoutRedisThereIsNoAnswerAndNoHarm() async throws {
        let test = try await CacheUnderTest()
        test.cache.append(test.messages(1...3), to: "r")
        #expect(await test.page(.latest, newest: 3) != nil)
        test.server.kill()
        #expect(await eventually { test.client.state != .connected })
        #expect(await test.page(.latest, newest: 3) == nil)
        test.cache.append(test.messages(4...4), to: "r")
        try await test.server.start()
        #expect(await eventually { test.client.state == .connected })
        #expect(await test.page(.latest, newest: 4) == nil)
        test.cache.fill("r", with: test.messages(1...4))
        #expect(await test.page(.latest, newest: 4)?.messages.count == 4)
        await test.close()
    }

    @Test func aRedisThatHangsIsWaitedForBriefly() async throws {
        // Only the cache's own time limit ends the reading: those of the connection are longer than this test may take.
        var options = RedisOptions()
        options.commandTimeout = .seconds(600)
        options.livenessTimeout = .seconds(600)
        let test = try await CacheUnderTest(readTimeout: .seconds(2), options: options)
        test.cache.append(test.messages(1...3), to: "r")
        #expect(await test.page(.latest, newest: 3) != nil)
        test.server.pause()
        #expect(await test.page(.latest, newest: 3) == nil)
        test.server.resume()
        #expect(await eventually { await test.page(.latest, newest: 3) != nil })
        await test.close()
    }
}
