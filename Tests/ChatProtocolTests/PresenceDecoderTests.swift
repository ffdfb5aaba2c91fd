import ChatTestSupport
import ChatDomain
import JSON
import Testing

@testable import ChatProtocol

/// Commands about presence, and their refusals.
@Suite struct PresenceDecoderTests {
    private func decode(_ event: String, _ data: String?) throws -> PresenceCommand? {
        func command(_ root: JSONElement?) throws -> PresenceCommand? {
            let command = try CommandDecoder.decode(event: event, data: root, isFlat: false, limits: CommandLimits())
            return if case .presence(let presence) = command { presence } else { nil }
        }
        guard let data else { return try command(nil) }
        return try withJSON(data) { try command($0) }
    }

    private static func user(_ id: String) -> UserID { UserID(unchecked: id) }

    @Test(arguments: [
        ("set_status", #"{"status":"invisible"}"#, PresenceCommand.setStatus(.invisible)),
        ("join_user", "7", .comeOnline(user("7"))), ("user_online", #""ann""#, .comeOnline(user("ann"))),
        ("join_user", #"{"userId":18446744073709551615}"#, .comeOnline(user("18446744073709551615"))),
        ("get_online_count", "null", .countOnline),
        ("check_user_status", #"{"targetUserId":"ann"}"#, .check(user("ann"), .userStatus)),
        ("check_user_online", "-3", .check(user("-3"), .userOnline)),
        ("get_all_users", #"{"cursor":"a","limit":2}"#, .listKnown(PresencePage(after: user("a"), limit: 2))),
        ("subscribe_presence", #"{"userIds":["a",1,"a"]}"#, .watch(.users([user("a"), user("1")]))),
        (
            "subscribe_presence", #"{"roomIds":["r",2]}"#,
            .watch(.rooms([RoomID(unchecked: "r"), RoomID(unchecked: "2")]))
        ),
        ("subscribe_presence", #"{"friends":true}"#, .watch(.friends)),
        ("subscribe_presence", #"{"all":true,"friends":false}"#, .watch(.everybody)),
        ("unsubscribe_presence", "{}", .unwatch(.anything)),
    ])
    func understands(event: String, data: String, expected: PresenceCommand) throws {
        #expect(try decode(event, data) == expected)
    }

    @Test(arguments: [
        ("set_status", nil), ("set_status", #"{"status":"asleep"}"#), ("set_status", #"{"status":1}"#),
        ("set_status", #"{"status":"ONLINE"}"#), ("set_status", #"["busy"]"#), ("join_user", "null"),
        ("join_user", "1.5"),
        ("join_user", #"{"userId":{"$gt":""}}"#), ("check_user_status", #"{"userId":"ann"}"#),
        ("check_user_online", "[]"), ("get_all_users", #"{"limit":1001}"#), ("get_all_users", #"{"limit":"5"}"#),
        ("get_online_users", #"{"cursor":[]}"#), ("subscribe_presence", nil),
        ("subscribe_presence", #"{"userIds":"ann"}"#), ("subscribe_presence", #"{"userIds":[]}"#),
        ("subscribe_presence", #"{"userIds":[null]}"#), ("subscribe_presence", #"{"roomIds":[{}]}"#),
        ("subscribe_presence", #"{"friends":"yes"}"#), ("subscribe_presence", #"{"all":1}"#),
        ("unsubscribe_presence", #"{"userIds":[]}"#),
    ])
    func refuses(event: String, data: String?) {
        let refusal = #expect(throws: ChatError.self) { try decode(event, data) }
        #expect(refusal?.code == .badRequest)
    }

    @Test(arguments: [("userIds", WatchList.maximumUsers), ("roomIds", WatchList.maximumRooms)])
    func listsAreBounded(field: String, limit: Int) throws {
        func list(_ count: Int) -> String { "{\"\(field)\":[\((0..<count).map(String.init).joined(separator: ","))]}" }
        #expect(throws: Never.self) { try decode("subscribe_presence", list(limit)) }
        #expect(throws: ChatError.self) { try decode("subscribe_presence", list(limit + 1)) }
    }

    @Test func otherEventsAreNoneOfThese() throws { #expect(try decode("user_activity", "{}") == nil) }
}
