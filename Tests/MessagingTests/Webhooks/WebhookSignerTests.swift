import Testing

@testable import MessagingWebhooks

/// Signatures of Standard Webhooks.
@Suite struct WebhookSignerTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    /// The example that the libraries of Standard Webhooks share.
    @Test func thePublishedExampleHasThePublishedSignature() throws {
        let signer = try #require(WebhookSigner(secrets: Self.secret))
        let fields = signer.fields(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: Array(#"{"test": 2432232314}"#.utf8))
        #expect(fields.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(
            fields.map(\.value) == [
                "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ])
    }

    @Test func eachSecretGivesASignature() throws {
        let other = "whsec_" + String(repeating: "A", count: 32)
        let signer = try #require(WebhookSigner(secrets: "\(Self.secret),\(other)"))
        let alone = try #require(WebhookSigner(secrets: other))
        let body = Array("{}".utf8)
        let parts = signer.fields(id: "a", timestamp: 1, body: body)[2].value.split(separator: " ")
        #expect(parts.count == 2 && parts.allSatisfy { $0.hasPrefix("v1,") })
        #expect(String(parts[1]) == alone.fields(id: "a", timestamp: 1, body: body)[2].value)
    }

    @Test(arguments: [
        "", "secret", "whsec_", "whsec_short", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,whsec_x",
        "whsec_" + String(repeating: "A", count: 88),
    ])
    func otherSecretsAreRefused(_ text: String) { #expect(WebhookSigner(secrets: text) == nil) }
}
