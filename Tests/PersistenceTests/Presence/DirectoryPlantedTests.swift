import ChatDomain
import RedisLink
import RedisTestSupport
import TestSupport
import Testing

/// Data that other programs put into the directory's keys, by mistake or on purpose, hides no user.
@Suite(.serialized) struct DirectoryPlantedTests {
    private static let alice = UserID(unchecked: "alice")
    private static let key: RedisArgument = "chat-service:user:alice"

    private static func planted(_ number: String) -> [RedisArgument] {
        [
            "HSET", key, "",
            RedisArgument(#"{"own":"busy","name":"n","seen":\#(number),"seenText":"x","sessions":\#(number)}"#),
            "p1",
            RedisArgument(
                #"{"instance":"i1","username":"x","wish":"busy","connectedAt":1,"lastActiveAt":1,"order":\#(number)}"#),
            "p2",
            RedisArgument(
                #"{"instance":"i1","username":"x","wish":"busy","connectedAt":\#(number),"lastActiveAt":1,"order":1}"#),
            "p3", RedisArgument(number), "p4", "no JSON", "p5", "{}", "p6", "[]",
            "p7", #"{"instance":7,"username":"x","wish":"odd","connectedAt":1,"lastActiveAt":1,"order":1}"#,
        ]
    }

    /// A session connects, changes and ends as if no such data were there.
    private func live(in test: DirectoryUnderTest) async throws {
        let before = test.changes(Self.alice).count
        #expect(await test.connect(record("a", at: 1)).isEmpty)
        test.directory.update(SessionID("a"), of: Self.alice, .requestedStatus(.away), at: Timestamp(milliseconds: 2))
        #expect(await test.directory.sessions(of: Self.alice).map(\.id.value) == ["a"])
        #expect(await eventually { test.changes(Self.alice).last?.actualStatus == .away })
        #expect(test.changes(Self.alice).last?.lastSeen.milliseconds == 2)
        test.directory.remove(SessionID("a"), of: Self.alice, at: Timestamp(milliseconds: 3))
        #expect(await eventually { test.changes(Self.alice).last?.actualStatus == .offline })
        #expect(test.changes(Self.alice).dropFirst(before).map(\.actualStatus).contains(.online))
    }

    @Test(arguments: ["1e300", "-1e300", "9223372036854775807", "-1e17", "1e999", "null", "\"x\"", "{}"])
    func numbersBeyondAllBounds(_ number: String) async throws {
        let test = try await DirectoryUnderTest(.redis)
        try await test.perform(RedisCommand(Self.planted(number)))
        try await live(in: test)
        await test.close()
    }

    @Test func aKeyOfAnotherKind() async throws {
        let test = try await DirectoryUnderTest(.redis)
        try await test.perform(["SET", Self.key, "text"])
        try await live(in: test)
        await test.close()
    }

    @Test func newsThatNoInstanceSends() async throws {
        let test = try await DirectoryUnderTest(.redis)
        for number in ["1e300", "-1e17", "9223372036854775807", "-1", "1.5"] {
            for member in ["lastSeen", "sessions"] {
                var text =
                    #"{"kind":"changed","origin":"x","userId":"alice","username":"A","own":"busy","lastSeen":1,"sessions":1}"#
                text.replace(#""\#(member)":"#, with: #""\#(member)":\#(number),"was":"#)
                try await test.perform(["PUBLISH", "chat-service:presence:\(DeploymentID.test)", RedisArgument(text)])
            }
        }
        try await live(in: test)
        await test.close()
    }

    @Test func aDeadInstanceWithMalformedKeysIsSwept() async throws {
        let test = try await DirectoryUnderTest(.redis)
        try await test.perform(["SADD", "chat-service:instance:dead:rooms", "without a user", "room\0bob"])
        try await test.perform(["HSET", "chat-service:instance:dead:sessions", "s", "bob"])
        try await test.perform(["HSET", "chat-service:user:bob", "s", "5", "", "[]"])
        try await test.perform(["ZADD", "chat-service:instances", "1", "dead"])
        // Another instance is swept once this one's lease was held for a full period.
        let isLost = await eventually(within: .seconds(120)) {
            test.events.entries.contains { if case .lost(InstanceID("dead")) = $0 { true } else { false } }
        }
        #expect(isLost)
        await test.close()
    }
}
