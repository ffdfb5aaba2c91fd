import ChatTestSupport
import ChatDomain
import JSON
import Testing

@testable import ChatProtocol

@Suite struct CommandDecoderTests {
    private static let limits: CommandLimits = {
        var limits = CommandLimits()
        limits.maximumMessageBytes = 20
        limits.maximumRecipients = 3
        return limits
    }()

    private func decode(_ event: String, _ data: String?) throws -> ClientCommand {
        guard let data else {
            return try CommandDecoder.decode(event: event, data: nil, isFlat: false, limits: Self.limits)
        }
        return try withJSON(data) {
            try CommandDecoder.decode(event: event, data: $0, isFlat: false, limits: Self.limits)
        }
    }

    private func refusal(_ event: String, _ data: String?) -> ChatError? {
        do {
            _ = try decode(event, data)
            return nil
        } catch { return error as? ChatError }
    }

    @Test(
        arguments: [
            ("join_room", #"{"roomId":"lobby"}"#, #"joinRoom(lobby, since: nil, limit: 50)"#),
            ("join_room", #"{"roomId":42,"since":7,"limit":1000}"#, "joinRoom(42, since: 7, limit: 1000)"),
            (
                "join_room", #"{"roomId":18446744073709551615,"since":0}"#,
                "joinRoom(18446744073709551615, since: 0, limit: 50)"
            ),
            ("join_room", #"{"roomId":-5,"since":null,"unknown":{"x":[]}}"#, "joinRoom(-5, since: nil, limit: 50)"),
            ("leave_room", #"{"roomId":"a b"}"#, "leaveRoom(a b)"),
            ("typing", #"{"roomId":"r","isTyping":true}"#, "typing(r, true)"),
            ("mark_read", #"{"roomId":"r","seq":0}"#, "markRead(r, 0)"),
            ("mark_read", #"{"roomId":"r","seq":9223372036854775807}"#, "markRead(r, 9223372036854775807)"),
            ("user_activity", nil, "userActivity"), ("user_activity", "[]", "userActivity"),
            ("ping", nil, "ping(null)"), ("ping", #"{"a":[1,"x"]}"#, #"ping({"a":[1,"x"]})"#), ("ping", "3", "ping(3)"),
            ("identify", #"{"username":"Ann"}"#, "identify(Ann)"),
            ("authenticate", #"{"token":"t"}"#, "authenticate(t, nil, nil)"),
            ("authenticate", #"{"userId":5,"username":"Five"}"#, "authenticate(nil, 5, Five)"),
            ("send_message", #"{"roomId":"r","message":"hi"}"#, "sendMessage(r, hi, text, nil, nil, nil)"),
            (
                "send_message",
                #"{"roomId":"r","message":"hi","clientMessageId":1767323045678,"replyTo":18446744073709551615}"#,
                "sendMessage(r, hi, text, 1767323045678, nil, 18446744073709551615)"
            ),
            (
                "send_message",
                #"{"roomId":"r","message":"hi","messageType":"image","clientMessageId":"c","metadata":{"k": [1, null]},"replyTo":"m"}"#,
                #"sendMessage(r, hi, image, c, {"k":[1,null]}, m)"#
            ),
            (
                "send_message", #"{"recipientIds":["a",1,"1"],"message":"hi"}"#,
                "sendDirect(a+1, hi, text, nil, nil, nil)"
            ),
            (
                "send_message", #"{"roomId":"r","recipientIds":null,"message":"12345678901234567890"}"#,
                "sendMessage(r, 12345678901234567890, text, nil, nil, nil)"
            ),
        ] as [(String, String?, String)]) func takesWhatTheContractTakes(
            _ event: String, _ data: String?, _ expected: String
        ) throws
    {
        #expect(try decode(event, data).summary == expected)
    }

    @Test(
        arguments: [
            ("join_room", nil, "roomId is missing"), ("join_room", "{}", "roomId is missing"),
            ("join_room", "null", "roomId is missing"),
            ("join_room", "[1]", "data must be an object"), ("join_room", "\"lobby\"", "data must be an object"),
            ("join_room", #"{"roomId":null}"#, "roomId is missing"),
            ("join_room", #"{"roomId":""}"#, "roomId must not be empty"),
            ("join_room", #"{"roomId":{"$gt":""}}"#, "roomId must be a string or an integer"),
            ("join_room", #"{"roomId":["a"]}"#, "roomId must be a string or an integer"),
            ("join_room", #"{"roomId":1.5}"#, "roomId must be a string or an integer"),
            ("join_room", #"{"roomId":true}"#, "roomId must be a string or an integer"),
            ("join_room", #"{"roomId":"a\u0000b"}"#, "roomId must not contain control characters"),
            ("join_room", #"{"roomId":"a\nb"}"#, "roomId must not contain control characters"),
            (
                "join_room", "{\"roomId\":\"e\(String(repeating: "\u{301}", count: 128))\"}",
                "roomId must be at most 128 characters"
            ),
            ("identify", #"{"username":"a\u0007"}"#, "username must not contain control characters"),
            (
                "send_message", #"{"roomId":"r","message":"x","clientMessageId":"a\u0085"}"#,
                "clientMessageId must not contain control characters"
            ),
            (
                "send_message", #"{"roomId":"r","message":"x","replyTo":"a\u0000"}"#,
                "replyTo must not contain control characters"
            ),
            ("join_room", #"{"roomId":"r","since":-1}"#, "since must be an integer from 0 to 9223372036854775807"),
            ("join_room", #"{"roomId":"r","since":"7"}"#, "since must be an integer from 0 to 9223372036854775807"),
            ("join_room", #"{"roomId":"r","since":1.5}"#, "since must be an integer from 0 to 9223372036854775807"),
            ("join_room", #"{"roomId":"r","limit":0}"#, "limit must be an integer from 1 to 1000"),
            ("join_room", #"{"roomId":"r","limit":1001}"#, "limit must be an integer from 1 to 1000"),
            ("leave_room", "{}", "roomId is missing"), ("typing", #"{"roomId":"r"}"#, "isTyping is missing"),
            ("typing", #"{"roomId":"r","isTyping":1}"#, "isTyping must be true or false"),
            ("mark_read", #"{"roomId":"r"}"#, "seq is missing"),
            ("mark_read", #"{"roomId":"r","seq":null}"#, "seq is missing"),
            ("mark_read", #"{"roomId":"r","seq":-1}"#, "seq must be an integer from 0 to 9223372036854775807"),
            (
                "mark_read", #"{"roomId":"r","seq":18446744073709551615}"#,
                "seq must be an integer from 0 to 9223372036854775807"
            ),
            ("identify", "{}", "username is missing"), ("identify", #"{"username":""}"#, "username is missing"),
            ("identify", #"{"username":5}"#, "username must be a string"),
            ("authenticate", nil, "token or userId is missing"),
            ("authenticate", #"{"username":"x"}"#, "token or userId is missing"),
            ("authenticate", #"{"token":5}"#, "token must be a string"),
            ("authenticate", #"{"userId":[]}"#, "userId must be a string or an integer"),
            ("send_message", #"{"message":"hi"}"#, "give either roomId or recipientIds"),
            (
                "send_message", #"{"roomId":"r","recipientIds":["a"],"message":"hi"}"#,
                "give either roomId or recipientIds"
            ),
            ("send_message", #"{"roomId":"r"}"#, "message is missing"),
            ("send_message", #"{"roomId":"r","message":""}"#, "message must not be empty"),
            ("send_message", #"{"roomId":"r","message":{"a":1}}"#, "message must be a string"),
            ("send_message", #"{"roomId":"r","message":"123456789012345678901"}"#, "message must be at most 20 bytes"),
            ("send_message", #"{"roomId":"r","message":"éééééééééée"}"#, "message must be at most 20 bytes"),
            ("send_message", #"{"roomId":"r","message":"a\u0000"}"#, "message must not contain NUL"),
            ("send_message", #"{"roomId":"r","message":"x","messageType":""}"#, "messageType must not be empty"),
            (
                "send_message", #"{"roomId":"r","message":"x","messageType":"123456789012345678901234567890123"}"#,
                "messageType must be at most 32 characters"
            ),
            (
                "send_message", #"{"roomId":"r","message":"x","clientMessageId":""}"#,
                "clientMessageId must not be empty"
            ),
            (
                "send_message", #"{"roomId":"r","message":"x","clientMessageId":true}"#,
                "clientMessageId must be a string"
            ),
            ("send_message", #"{"roomId":"r","message":"x","metadata":[]}"#, "metadata must be an object"),
            ("send_message", #"{"roomId":"r","message":"x","metadata":"{}"}"#, "metadata must be an object"),
            (
                "send_message", #"{"roomId":"r","message":"x","metadata":{"k":"1234567890123456"}}"#,
                "metadata must be at most 20 bytes"
            ),
            (
                "send_message", #"{"roomId":"r","message":"x","metadata":{"k":"\u0000"}}"#,
                "metadata must not contain NUL"
            ),
            ("send_message", #"{"roomId":"r","message":"x","metadata":{"\u0000":1}}"#, "metadata must not contain NUL"),
            ("send_message", #"{"roomId":"r","message":"x","replyTo":{}}"#, "replyTo must be a string"),
            ("send_message", #"{"recipientIds":"a","message":"x"}"#, "recipientIds must be an array of ids"),
            ("send_message", #"{"recipientIds":[],"message":"x"}"#, "recipientIds must hold 1 to 3 ids"),
            ("send_message", #"{"recipientIds":["a","b","c","d"],"message":"x"}"#, "recipientIds must hold 1 to 3 ids"),
            ("send_message", #"{"recipientIds":[{}],"message":"x"}"#, "recipientIds must be a string or an integer"),
        ] as [(String, String?, String)]) func refusesEverythingElseByName(
            _ event: String, _ data: String?, _ message: String
        )
    {
        let error = refusal(event, data)
        #expect(error?.code == .badRequest)
        #expect(error?.message == message)
    }

    @Test func anUnknownEventIsNamedBriefly() {
        #expect(refusal("no_such", nil) == ChatError(.unknownEvent, "there is no event \"no_such\""))
        #expect(refusal(String(repeating: "x", count: 10_000), nil)?.message.count ?? 0 < 100)
    }

    @Test func textsAreMeasuredInCharactersWhereCharactersCount() throws {
        let long = String(repeating: "é", count: 128)
        #expect(try decode("identify", "{\"username\":\"\(long)\"}").summary == "identify(\(long))")
        #expect(
            refusal("identify", "{\"username\":\"\(long)é\"}")?.message == "username must be at most 128 characters")
        #expect(refusal("leave_room", "{\"roomId\":\"\(long)é\"}")?.message == "roomId must be at most 128 characters")
    }

    @Test func aFlatPingAnswersWhatIsNotTheFramesOwn() throws {
        let command = try withJSON(#"{"type":"ping","id":3,"a":1,"b":{"type":"x"}}"#) {
            try CommandDecoder.decode(event: "ping", data: $0, isFlat: true, limits: Self.limits)
        }
        #expect(command.summary == #"ping({"a":1,"b":{"type":"x"}})"#)
    }
}

extension ClientCommand {
    /// The command in one line, to compare with.
    fileprivate var summary: String {
        func line(_ message: OutgoingMessage) -> String {
            let parts: [String?] = [
                message.text, message.kind, message.clientMessageID, message.metadata, message.replyTo,
            ]
            return parts.map { $0 ?? "nil" }.joined(separator: ", ")
        }
        func text(_ value: Any?) -> String { value.map { "\($0)" } ?? "nil" }
        // Not a switch: what is tested here stays as it is when commands are added.
        if case .authenticate(let claim) = self {
            return "authenticate(\(text(claim.token)), \(text(claim.userID)), \(text(claim.username)))"
        }
        if case .joinRoom(let room, let history) = self {
            return "joinRoom(\(room), since: \(text(history.since)), limit: \(history.limit))"
        }
        if case .leaveRoom(let room) = self { return "leaveRoom(\(room))" }
        if case .sendMessage(let room, let message) = self { return "sendMessage(\(room), \(line(message)))" }
        if case .sendDirect(let users, let message) = self {
            return "sendDirect(\(users.map(\.value).joined(separator: "+")), \(line(message)))"
        }
        if case .typing(let room, let isTyping) = self { return "typing(\(room), \(isTyping))" }
        if case .markRead(let room, let sequence) = self { return "markRead(\(room), \(sequence))" }
        if case .identify(let name) = self { return "identify(\(name))" }
        if case .ping(let data) = self { return "ping(\(data.text))" }
        return "\(self)"
    }
}

@Suite struct RawFrameTests {
    private func frame(_ text: String) throws -> String {
        try withJSON(text) { root in
            let tag = try RequestTag(of: root)
            let frame = try RawFrame(root)
            return
                "\(frame.framing) \(frame.event) \(frame.data?.serialized.text ?? "-") \(tag.map { "\($0)" } ?? "-")"
        }
    }

    @Test(arguments: [
        (#"{"event":"ping","data":[1],"id":7}"#, "event ping [1] number(7)"),
        (#"{"event":"ping"}"#, "event ping - -"), (#"{"event":"","id":null}"#, "event  - -"),
        (#"{"type":"ping","a":1,"id":"x"}"#, #"type ping {"type":"ping","a":1,"id":"x"} text("x")"#),
        (#"{"type":"ping","data":{"event":"no"}}"#, #"type ping {"type":"ping","data":{"event":"no"}} -"#),
        (#"{"event":"a","id":1.5}"#, #"event a - literal("1.5")"#),
        (#"{"event":"a","id":18446744073709551615}"#, #"event a - literal("18446744073709551615")"#),
    ]) func bothFramingsAreTakenApart(_ text: String, _ expected: String) throws {
        #expect(try frame(text) == expected)
    }

    @Test(arguments: [
        "[]", "1", "\"event\"", "null", "{}", #"{"event":"a","type":"a"}"#, #"{"event":1}"#, #"{"type":null}"#,
        #"{"event":["a"]}"#, #"{"event":"a","id":{}}"#, #"{"event":"a","id":true}"#,
        "{\"event\":\"a\",\"id\":\"\(String(repeating: "x", count: 129))\"}",
    ]) func everythingElseIsABadFrame(_ text: String) {
        #expect {
            _ = try frame(text)
        } throws: { ($0 as? ChatError)?.code == .badFrame }
    }

    @Test(arguments: [
        (#"{"event":"a","data":{,"id":7}"#, "nil"), (#"{"event":"a","data":{,},"id":7}"#, "number(7)"),
        (#"{"id":"\ud83d","event":"#, "text(\"\u{FFFD}\")"), (#"{"id":1e400,"event":"#, "literal(\"1.79"),
        (#"{"id":{},"event":"#, "nil"), (#"{"id":tru,"event":"#, "nil"), ("{}", "nil"),
    ]) func theIDOfAnUnreadableFrameIsFound(_ text: String, _ expected: String) {
        let tag = Array(text.utf8).withUnsafeBytes { RequestTag(ofUnreadable: $0, parser: JSONParser()) }
        #expect((tag.map { "\($0)" } ?? "nil").hasPrefix(expected))
    }
}
