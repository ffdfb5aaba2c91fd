import ChatDomain
import HTTPClient
import JSON
import Telemetry
import Testing

@testable import MessagingWebhooks

/// The question to the hook, and what its answers mean.
@Suite struct BeforeMessageHookTests {
    private let question = HookQuestion(
        room: RoomID(unchecked: "lobby"), author: RoomUser(userID: UserID(unchecked: "ann"), username: "Ann"),
        text: "hello", kind: "text", clientMessageID: "c1", metadata: #"{"x":1}"#, replyTo: "m1")

    private func hook(
        _ rule: BeforeMessageHook.FailureRule = .refuse,
        _ answer: @escaping @Sendable () throws(HTTPClientError) -> HTTPClientResponse
    ) throws -> BeforeMessageHook {
        let signer = try #require(WebhookSigner(secrets: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        return BeforeMessageHook(
            .init(url: "http://hook.test/", signer: signer, failureRule: rule, maximumMessageBytes: 100),
            clock: { Timestamp(milliseconds: 1000) }, logger: .disabled, registry: MetricsRegistry(),
            send: { request async throws(HTTPClientError) in try answer() })
    }

    private func verdict(_ body: String, status: Int = 200) -> HookVerdict? {
        HookMessages.verdict(status: status, body: Array(body.utf8), maximumBytes: 10)
    }

    @Test func theQuestionHoldsTheDraft() throws {
        let body = try JSONValue(parsing: HookMessages.body(of: question, at: Timestamp(milliseconds: 0)))
        #expect(body["type"]?.string == "message.before" && body["timestamp"]?.string == "1970-01-01T00:00:00.000Z")
        let data = try #require(body["data"])
        let texts = ["roomId", "userId", "username", "message", "messageType", "clientMessageId", "replyTo"]
        #expect(texts.map { data[$0]?.string } == ["lobby", "ann", "Ann", "hello", "text", "c1", "m1"])
        #expect(data["metadata"]?["x"]?.integer == 1 && data["messageId"] == nil)
        var edit = question
        edit.edited = MessageID(high: 0, low: 1)
        edit.room = nil
        edit.recipients = [UserID(unchecked: "bob")]
        let second = try JSONValue(parsing: HookMessages.body(of: edit, at: Timestamp(milliseconds: 0)))
        #expect(second["type"]?.string == "edit.before")
        #expect(second["data"]?["messageId"]?.string == "000000000000000000000001")
        #expect(second["data"]?["recipientIds"]?[0]?.string == "bob" && second["data"]?["roomId"] == nil)
    }

    @Test func thereAreThreeAnswers() {
        #expect(verdict("", status: 204) == .allow)
        #expect(verdict(#"{"action":"allow"}"#) == .allow)
        #expect(verdict(#"{"action":"replace","message":"0123456789"}"#) == .replace("0123456789"))
        #expect(
            verdict(#"{"action":"refuse","reason":"no insults"}"#) == .refuse(ChatError(.forbidden, "no insults")))
        #expect(verdict(#"{"action":"refuse"}"#) == .refuse(ChatError(.forbidden, "this message is refused")))
        let long = String(repeating: "x", count: 1000)
        guard case .refuse(let error) = verdict(#"{"action":"refuse","reason":"\#(long)"}"#) else {
            Issue.record("it is a refusal")
            return
        }
        #expect(error.message.count == HookMessages.maximumReasonCharacters)
        #expect(
            verdict(#"{"action":"refuse","reason":"a\u0000b"}"#)
                == .refuse(ChatError(.forbidden, "this message is refused")))
    }

    @Test(arguments: [
        "", "allow", "[]", "{}", #"{"action":"maybe"}"#, #"{"action":1}"#, #"{"action":"replace"}"#,
        #"{"action":"replace","message":""}"#, #"{"action":"replace","message":7}"#,
        #"{"action":"replace","message":"0123456789a"}"#, #"{"action":"replace","message":"a\u0000"}"#,
        #"{"action":"allow"#,
    ])
    func otherAnswersAreNone(_ body: String) { #expect(verdict(body) == nil) }

    @Test(arguments: [201, 302, 400, 403, 500])
    func otherStatusesAreNoAnswer(_ status: Int) { #expect(verdict(#"{"action":"allow"}"#, status: status) == nil) }

    @Test func theOperatorDecidesAboutFailures() async throws {
        let refused = HookVerdict.refuse(ChatError(.overloaded, "the message cannot be checked now; try again"))
        let errors: [HTTPClientError] = [.timedOut, .unreachable("x"), .tooLarge, .overloaded]
        for error in errors {
            let closed = try hook { () throws(HTTPClientError) in throw error }
            #expect(await closed.verdict(on: question) == refused)
            #expect(closed.failureReason == error.description)
            let open = try hook(.allow) { () throws(HTTPClientError) in throw error }
            #expect(await open.verdict(on: question) == .allow)
        }
        let lying = try hook { () throws(HTTPClientError) in
            HTTPClientResponse(status: 200, body: Array("lies".utf8))
        }
        #expect(await lying.verdict(on: question) == refused)
    }
}
