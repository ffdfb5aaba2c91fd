import Testing

@testable import RedisLink

struct SlotMapTests {
    private let asked = RedisAddress(host: "asked", port: 7000)

    private static func range(
        _ first: RedisValue, _ last: RedisValue, _ host: RedisValue = .string(Array("a".utf8)),
        _ port: RedisValue = .integer(1)
    ) -> RedisValue {
        .array([first, last, .array([host, port, .string([])])])
    }

    @Test(arguments: [
        ("123456789", 12739), ("foo", 12182), ("", 0), ("{user1000}.following", 3443), ("user1000", 3443),
        ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("{bar", 4015), ("foo{bar}{zap}", 5061), ("bar", 5061),
    ])
    func slotsAreThoseOfTheSpecification(_ key: String, _ slot: UInt16) {
        #expect(HashSlot.crc16("123456789".utf8) == 0x31C3)
        #expect(HashSlot(of: Array(key.utf8)).number == slot)
    }

    @Test func aMapIsReadAndChanged() throws {
        let reply = RedisValue.array([
            Self.range(.integer(0), .integer(99)), Self.range(.integer(200), .integer(16_383), .null, .integer(7001)),
        ])
        var map = try #require(SlotMap(reply, from: asked))
        func owner(_ slot: Int) throws -> RedisAddress? { map.owner(of: try #require(HashSlot(slot))) }
        let (a, b) = (RedisAddress(host: "a", port: 1), RedisAddress(host: "asked", port: 7001))
        #expect(map.nodes == [a, b])
        #expect(try owner(99) == a)
        #expect(try owner(100) == nil)
        #expect(try owner(16_383) == b)
        #expect(map.ranges { $0 == nil } == [100...199])
        let c = RedisAddress(host: "c", port: 3)
        #expect(map.move(try #require(HashSlot(150)), to: c))
        #expect(try owner(150) == c)
        #expect(map.ranges { $0 == nil } == [100...149, 151...199])
    }

    @Test(arguments: [
        RedisValue.null, .integer(1), .array([.null]), .array([.array([])]), .array([range(.integer(-1), .integer(5))]),
        .array([range(.integer(0), .integer(16_384))]), .array([range(.integer(5), .integer(4))]),
        .array([range(.integer(0), .integer(.max))]), .array([range(.null, .integer(4))]),
        .array([range(.integer(0), .integer(4), .integer(7))]),
        .array([range(.integer(0), .integer(4), .string(Array("?".utf8)))]),
        .array([range(.integer(0), .integer(4), .null, .integer(0))]),
        .array([range(.integer(0), .integer(4), .null, .integer(70_000))]),
        .array([.array([.integer(0), .integer(4), .array([.null])])]),
        .array((0..<257).map { range(.integer(0), .integer(4), .null, .integer($0 + 1)) }),
        .array((0...16_384).map { _ in range(.integer(0), .integer(0)) }),
    ])
    func aReplyOfAnotherFormIsNoMap(_ reply: RedisValue) { #expect(SlotMap(reply, from: asked) == nil) }

    @Test func redirectionsAreRead() throws {
        func read(_ code: String, _ message: String) -> Redirection? {
            Redirection(code: code, message: message, from: asked)
        }
        let slot = try #require(HashSlot(3999))
        #expect(read("MOVED", "3999 127.0.0.1:6381") == .moved(slot, RedisAddress(host: "127.0.0.1", port: 6381)))
        #expect(read("ASK", "3999 ::1:6381") == .ask(slot, RedisAddress(host: "::1", port: 6381)))
        #expect(read("MOVED", "3999 :6381") == .moved(slot, RedisAddress(host: "asked", port: 6381)))
        #expect(read("TRYAGAIN", "Multiple keys request during rehashing of slot") == .tryAgain)
        #expect(read("CLUSTERDOWN", "The cluster is down") == .down)
        for message in [
            "", "x", "3999", "3999 ", "3999 a", "3999 a:", "3999 a:0", "3999 a:70000", "16384 a:1", "-1 a:1",
            "3999 ?:1",
        ] {
            #expect(read("MOVED", message) == nil, "\(message)")
        }
        #expect(read("ERR", "3999 a:1") == nil)
    }

    @Test func commandsAreOfTheSlotOfTheirKey() {
        let slot = HashSlot(of: Array("k".utf8))
        let script = RedisScript("return 1")
        let ofKey: [RedisCommand] = [
            ["GET", "k"], ["PUBLISH", "k", "x"], ["PUBSUB", "NUMSUB", "k"], .publish([], on: Array("k".utf8)),
            .subscriberCount(of: Array("k".utf8)), .script(script, keys: ["k", "l"]),
        ]
        for command in ofKey { #expect(command.slot == slot, "\(command.name)") }
        let keyless: [RedisCommand] = [["PING"], ["TIME"], [], ["GET"], .script(script, keys: [])]
        for command in keyless { #expect(command.slot == nil) }
    }
}
