import PersistenceRedis
import ChatDomain
import JSON
import RedisLink
import RedisTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct RedisHistoryWritingTests {
    @Test(arguments: RedisKind.allCases) func entriesCarryTheMembersOfNewMessage(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind, timeToLive: .seconds(7700))
        let draft = test.drafts.next(
            "line\none \"two\" \u{1F600}", by: "ann", client: "c1", kind: "image",
            metadata: #"{"a":[1,2.5,{"b":null}]}"#,
            replyTo: "m0")
        let message = Message(draft, in: "r", sequence: 7)
        test.cache.append([message], to: "r")
        let entry = try JSONValue(parsing: try #require(try await test.entries().first))
        #expect(
            entry
                == .object([
                    "messageId": .string(message.id.description), "seq": .integer(7), "roomId": .string("r"),
                    "userId": .string("ann"), "username": .string("name of ann"),
                    "message": .string("line\none \"two\" \u{1F600}"), "messageType": .string("image"),
                    "timestamp": .integer(draft.timestamp.milliseconds), "clientMessageId": .string("c1"),
                    "metadata": .object(["a": .array([.integer(1), .number(2.5), .object(["b": .null])])]),
                    "replyTo": .string("m0"),
                ]))
        let ttl = try #require(try await test.client.send(["TTL", "chat:history:r"]).integer)
        #expect((7000...7700).contains(ttl))
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func followingMessagesAreAddedAndTheOldestDropped(_ kind: RedisKind)
        async throws
    {
        let test = try await CacheUnderTest(kind, maximumMessages: 5)
        test.cache.append(test.messages(1...3), to: "r")
        test.cache.append(test.messages(4...4), to: "r")
        #expect(try await test.numbers() == [1, 2, 3, 4])
        test.cache.append(test.messages(5...7), to: "r")
        #expect(try await test.numbers() == [3, 4, 5, 6, 7])
        test.cache.append(test.messages(8...20), to: "r")
        #expect(try await test.numbers() == [16, 17, 18, 19, 20])
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func aGapBeginsTheListAnew(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        let messages = test.messages(1...9)
        test.cache.append(Array(messages[0..<3]), to: "r")
        test.cache.append(Array(messages[4..<5]), to: "r")
        #expect(try await test.numbers() == [5])
        // The one that was overtaken fits before it.
        test.cache.append(Array(messages[3..<4]), to: "r")
        #expect(try await test.numbers() == [4, 5])
        test.cache.append(Array(messages[5..<7]), to: "r")
        #expect(try await test.numbers() == [4, 5, 6, 7])
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func messagesAreNotHeldTwice(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        let messages = test.messages(1...6)
        test.cache.fill("r", with: Array(messages[0..<4]))
        test.cache.append(Array(messages[2..<4]), to: "r")
        #expect(try await test.numbers() == [1, 2, 3, 4])
        test.cache.append(Array(messages[2..<6]), to: "r")
        #expect(try await test.numbers() == [1, 2, 3, 4, 5, 6])
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func aNumberGivenTwiceDropsTheList(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        test.cache.append(test.messages(1...5), to: "r")
        test.cache.append(test.messages(3...3), to: "r")
        #expect(try await test.numbers() == [])
        test.cache.append(test.messages(10...12), to: "r")
        test.cache.append(test.messages(2...3), to: "r")
        #expect(try await test.numbers() == [])
        #expect(test.dropped("contradicted") == 2)
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func fillingReplacesAnOlderCacheAndCompletesANewerOne(_ kind: RedisKind)
        async throws
    {
        let test = try await CacheUnderTest(kind, maximumMessages: 10)
        let messages = test.messages(1...12)
        test.cache.fill("r", with: Array(messages[2..<6]))
        #expect(try await test.numbers() == [3, 4, 5, 6])
        test.cache.fill("r", with: Array(messages[0..<6]))
        #expect(try await test.numbers() == [1, 2, 3, 4, 5, 6])
        test.cache.fill("r", with: Array(messages[4..<6]))
        #expect(try await test.numbers() == [1, 2, 3, 4, 5, 6], "it holds more already")
        test.cache.append(Array(messages[8..<9]), to: "r")
        #expect(try await test.numbers() == [9])
        test.cache.fill("r", with: Array(messages[0..<7]))
        #expect(try await test.numbers() == [9], "8 is missing between")
        test.cache.fill("r", with: Array(messages[4..<8]))
        #expect(try await test.numbers() == [5, 6, 7, 8, 9])
        test.cache.append(Array(messages[9..<12]), to: "r")
        test.cache.fill("r", with: Array(messages[0..<9]))
        #expect(try await test.numbers() == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
        test.cache.fill("r", with: [])
        test.cache.drop("r")
        #expect(try await test.numbers() == [])
        await test.close()
    }

    @Test(arguments: [
        ["SET", "chat:history:r", "x"], ["RPUSH", "chat:history:r", "not JSON"],
        ["RPUSH", "chat:history:r", #"{"seq":"1"}"#], ["RPUSH", "chat:history:r", "[1]"],
        ["HSET", "chat:history:r", "seq", "1"],
    ])
    func foreignContentIsReplaced(_ words: [String]) async throws {
        let test = try await CacheUnderTest()
        _ = try await test.client.send(words.map { RedisArgument($0) })
        test.cache.append(test.messages(1...2), to: "r")
        #expect(try await test.client.send(["EXISTS", "chat:history:r"]).integer == 0)
        #expect(test.dropped("malformed") == 1)
        _ = try await test.client.send(words.map { RedisArgument($0) })
        test.cache.fill("r", with: test.messages(1...2))
        #expect(try await test.numbers() == [1, 2])
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func aChangeRemovesTheListAndKeepsOutWhatIsOlder(
        _ kind: RedisKind
    ) async throws {
        let test = try await CacheUnderTest(kind)
        let messages = test.messages(1...6)
        test.cache.append(messages, to: "r")
        test.cache.append([test.change(7, of: 6)], to: "r")
        #expect(try await test.numbers() == [])
        test.cache.append(Array(messages[5...]), to: "r")
        test.cache.fill("r", with: messages, upTo: 6)
        #expect(try await test.numbers() == [], "written before the change")
        test.cache.fill("r", with: Array(messages[2...]), upTo: 7)
        #expect(try await test.numbers() == [3, 4, 5, 6])
        #expect(await test.page(.latest, limit: 2, newest: 7)?.messages.map(\.sequence) == [5, 6])
        #expect(await test.page(.latest, limit: 2, newest: 6)?.messages.map(\.sequence) == [5, 6])
        #expect(await test.page(.latest, limit: 2, newest: 8) == nil)
        test.cache.append(test.messages(8...9), to: "r")
        #expect(try await test.numbers() == [3, 4, 5, 6, 8, 9])
        let page = await test.page(.around(6), limit: 4, newest: 9)
        #expect(page?.messages.map(\.sequence) == [5, 6, 8, 9])
        #expect(page?.hasMoreBefore == true && page?.hasMoreAfter == false)
        #expect(await test.page(.after(6), newest: 9)?.messages.map(\.sequence) == [8, 9])
        #expect(await test.page(.before(4), newest: 9) == nil, "older than the list")
        await test.close()
    }

    @Test func entriesInOneCallTakeEffectInTheirOrder() async throws {
        let test = try await CacheUnderTest()
        let parts: [RoomLogEntry] = test.messages(1...2).map { .message($0) } + [test.change(3, of: 1)]
        test.cache.append(parts + test.messages(4...5).map { .message($0) }, to: "r")
        #expect(try await test.numbers() == [4, 5])
        await test.close()
    }

    @Test func aChangeThatRedisMissedIsRepeated() async throws {
        let test = try await CacheUnderTest()
        test.cache.append(test.messages(1...3), to: "r")
        #expect(try await test.numbers() == [1, 2, 3])
        test.server.pause()
        let answered = Mutex(false)
        test.cache.noteChange(4, in: "r") { answered.withLock { $0 = true } }
        #expect(await eventually { answered.withLock { $0 } })
        test.server.resume()
        #expect(await eventually { (try? await test.numbers()) == [] })
        await test.close()
    }

    @Test(arguments: ["plain", "a{b}c", "}{", "{}", "a}b", "{x", ""]) func theKeysOfARoomAreInOneSlot(
        _ name: String
    ) async throws {
        let test = try await CacheUnderTest(.cluster)
        let room = RoomID(unchecked: name)
        test.cache.append(test.messages(1...2, in: room), to: room)
        let page = await test.cache.history(of: room, HistoryQuery(.latest), newest: 2)
        // The others are not held.
        #expect(page?.messages.count == (["plain", "a{b}c", ""].contains(name) ? 2 : nil))
        #expect(test.metric("chat_history_cache_failures_total") == 0)
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func oneWriteIsBoundedInBytes(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        let text = String(repeating: "x", count: 300_000)
        let messages = (1...10).map { Message(test.drafts.next(text), in: "r", sequence: $0) }
        test.cache.fill("r", with: messages)
        #expect(try await test.entries().count == 3, "the newest that weigh a mebibyte")
        #expect(await test.page(.latest, limit: 3, newest: 10)?.messages == Array(messages.suffix(3)))
        await test.close()
    }

    @Test(arguments: RedisKind.allCases) func messagesWithAHoleAreNotWritten(_ kind: RedisKind) async throws {
        let test = try await CacheUnderTest(kind)
        test.cache.append(test.messages(1...2), to: "r")
        test.cache.append(test.messages(3...3) + test.messages(5...5), to: "r")
        #expect(try await test.numbers() == [])
        await test.close()
    }
}

extension CacheUnderTest {
    func dropped(_ cause: String) -> Int? { metric("chat_history_cache_dropped_total{cause=\"\(cause)\"}") }

    func metric(_ name: String) -> Int? {
        String(decoding: registry.render(), as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix(name + " ") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }
}
