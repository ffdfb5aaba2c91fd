import ChatDomain
import RedisLink
import Telemetry
import TestSupport
import Testing

@testable import PersistenceRedis

/// In a cluster the keys that other services read are written beside the scripts.
@Suite(.serialized) struct DerivedKeysTests {
    private static let alice = UserID(unchecked: "alice")
    private static let place = RoomID(unchecked: "lobby")

    /// The keys that are not the service's own, and what is in the two sets.
    private func derived(_ test: DirectoryUnderTest) async throws -> [String] {
        let keys = try await test.ask(["KEYS", "*"])?.array?.compactMap(\.text) ?? []
        var found = keys.filter { !$0.contains("chat-service") }
        for set in found where ["online_users", "online:users:set", "chat:room:lobby:users"].contains(set) {
            let members = try await test.ask(["SMEMBERS", RedisArgument(set)])?.array?.compactMap(\.text) ?? []
            found.append("\(set)=\(members.sorted())")
        }
        return found.sorted()
    }

    private func unwritten(_ test: DirectoryUnderTest) async throws -> Int64? {
        try await test.ask(["ZCARD", "{chat-service}:unwritten"])?.integer
    }

    @Test(arguments: [DirectoryKind.redis, .cluster])
    func theyAreThoseOfOneServer(_ kind: DirectoryKind) async throws {
        let test = try await DirectoryUnderTest(kind)
        #expect(await test.connect(record("a")).isEmpty)
        test.directory.setPresent(Self.alice, in: Self.place, true)
        let all = [
            "chat:room:lobby:users", "chat:room:lobby:users=[\"alice\"]", "online:presence:alice",
            "online:socket:user:a",
            "online:user:socket:alice", "online:users:set", "online:users:set=[\"alice\"]", "online_users",
            "online_users=[\"alice\"]", "user:presence:alice",
        ]
        #expect(try await eventually({ try await derived(test) }, holds: { $0 == all }) == all)
        test.directory.setPresent(Self.alice, in: Self.place, false)
        test.directory.remove(SessionID("a"), of: Self.alice, at: Timestamp(milliseconds: 3))
        #expect(try await eventually({ try await derived(test) }, holds: { $0.isEmpty }) == [])
        #expect(try await eventually({ try await unwritten(test) }, holds: { $0 == 0 }) == 0)
        await test.close()
    }

    /// Two instances change one user, and one writes late: what it confirms is not the latest, so the keys are derived again.
    @Test func aLateWriterRepairsWhatItWrote() async throws {
        let test = try await DirectoryUnderTest(.cluster)
        #expect(await test.connect(record("a")).isEmpty)
        #expect(try await eventually({ try await unwritten(test) }, holds: { $0 == 0 }) == 0)
        // The other instance's commands, as they come behind those of the user's last change.
        try await test.perform(["SREM", "online_users", "alice"])
        try await test.perform(["DEL", "user:presence:alice"])
        let scripts = PresenceScripts(deployment: .test, isCluster: true)
        let space = try #require(test.space)
        let writer = DerivedKeyWriter(
            client: try #require(test.client), space: space, scripts: scripts, OccasionalLogger(.disabled))
        await withCheckedContinuation { continuation in
            writer.perform([.script(scripts.written, keys: space.scriptKeys, arguments: ["alice", "1"])]) { _ in
                continuation.resume()
            }
        }
        let isMember = try await eventually {
            try await test.ask(["SISMEMBER", "online_users", "alice"])?.integer == 1
        }
        #expect(isMember)
        #expect(try await eventually({ try await unwritten(test) }, holds: { $0 == 0 }) == 0)
        #expect(try await test.ask(["HGET", "user:presence:alice", "status"])?.text == "online")
        await test.close()
    }

    /// An instance ran a script and was gone before it wrote: a renewal of another's lease writes for it.
    @Test(.timeLimit(.minutes(2))) func whatAnInstanceLeftUnwrittenIsWrittenByAnother() async throws {
        let test = try await DirectoryUnderTest(.cluster)
        try await test.perform(["SADD", "online_users", "ghost"])
        try await test.perform(["SET", "online:user:socket:ghost", "s"])
        try await test.perform(["SADD", "chat:room:lobby:users", "ghost"])
        try await test.perform(["ZADD", "{chat-service}:unwritten", "1", "ghost", "1", "lobby\0ghost"])
        #expect(try await eventually({ try await derived(test) }, holds: { $0.isEmpty }) == [])
        #expect(try await eventually({ try await unwritten(test) }, holds: { $0 == 0 }) == 0)
        await test.close()
    }

    @Test(arguments: [
        RedisValue.null, .integer(1), .array([]), .array([.string(Array("derived".utf8))]),
        .array([.string(Array("other".utf8)), .null, .array([]), .array([])]),
        .array([.string(Array("derived".utf8)), .null, .null, .array([])]),
    ])
    func aReplyOfAnotherFormIsTheAnswer(_ value: RedisValue) { #expect(DerivedKeys(value) == nil) }

    @Test func oddPartsAreLeftOut() throws {
        func text(_ text: String) -> RedisValue { .string(Array(text.utf8)) }
        let derived = try #require(
            DerivedKeys(
                .array([
                    text("derived"), .integer(5), .array([text("u"), .integer(7), text("v"), .null, text("w")]),
                    .array([
                        .array([text("FLUSHALL"), text("now")]), .array([text("SADD"), text("k"), .integer(1)]), .null,
                        .array([text("SADD"), .null]), .array([]), .array([text("DEL")]),
                    ]),
                ])))
        #expect(derived.answer == .integer(5))
        #expect(derived.revisions.map(\.name) == ["u"])
        #expect(derived.commands.count == 1)
    }
}
