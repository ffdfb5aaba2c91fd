import MessagingWebhooks
import Testing

@testable import ChatService

/// The variables of webhooks and of the hook before messages.
@Suite struct WebhookConfigurationTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private static let urls = "https://a.example/x?key=1, http://b.example:8080"

    private func webhooks(_ environment: [String: String]) throws -> Configuration.Webhooks {
        try load(environment).configuration.webhooks
    }

    @Test func withoutURLsNothingIsCalled() throws {
        #expect(try webhooks(["WEBHOOK_SECRET": Self.secret]) == Configuration.Webhooks())
    }

    @Test func receiversAreReadInTheirOrder() throws {
        let found = try webhooks(["WEBHOOK_URL": Self.urls, "WEBHOOK_SECRET": Self.secret])
        let settings = try #require(found.webhooks)
        #expect(settings.urls == ["https://a.example/x?key=1", "http://b.example:8080"])
        #expect(settings.kinds == Set(WebhookEventKind.allCases) && settings.sendsEntries)
        #expect(settings.timeLimit == .seconds(15) && settings.schedule == RetrySchedule())
        #expect(found.beforeMessage == nil)
    }

    @Test func everySettingIsTaken() throws {
        let found = try webhooks([
            "WEBHOOK_URL": "https://a.example", "WEBHOOK_SECRET": "\(Self.secret),\(Self.secret)",
            "WEBHOOK_EVENTS": "rooms, presence", "WEBHOOK_TIMEOUT_MS": "500", "WEBHOOK_RETRIES": "5s, 2m",
            "HOOK_BEFORE_MESSAGE_URL": "http://hook.example/", "HOOK_DEADLINE_MS": "100", "HOOK_FAILURE": "allow",
            "MAX_MESSAGE_BYTES": "1000",
        ])
        let settings = try #require(found.webhooks)
        #expect(settings.kinds == [.rooms, .presence] && !settings.sendsEntries)
        #expect(settings.timeLimit == .milliseconds(500) && settings.schedule.delays == [.seconds(5), .seconds(120)])
        let hook = try #require(found.beforeMessage)
        #expect(hook.url == "http://hook.example/" && hook.deadline == .milliseconds(100))
        #expect(hook.failureRule == .allow && hook.maximumMessageBytes == 1000)
    }

    @Test(arguments: ["WEBHOOK_URL", "HOOK_BEFORE_MESSAGE_URL"])
    func requestsAreNeverUnsigned(_ variable: String) {
        let found = problems([variable: "https://a.example"])
        #expect(found == ["\(variable) needs WEBHOOK_SECRET, with which requests are signed"])
    }

    @Test(arguments: [
        ("WEBHOOK_URL", "ftp://a.example"), ("WEBHOOK_URL", "https://a.example,"),
        ("WEBHOOK_URL", "https://a.example,https://a.example"), ("WEBHOOK_URL", "https://user:password@a.example"),
        ("WEBHOOK_SECRET", "secret"), ("WEBHOOK_EVENTS", "everything"), ("WEBHOOK_EVENTS", ","),
        ("WEBHOOK_RETRIES", "5s,,5s"), ("WEBHOOK_RETRIES", "0s"), ("WEBHOOK_TIMEOUT_MS", "0"),
        ("HOOK_FAILURE", "maybe"), ("HOOK_DEADLINE_MS", "60000"),
    ])
    func badValuesStopTheStart(_ variable: String, _ value: String) throws {
        let found = problems([variable: value])
        #expect(found.contains { $0.hasPrefix("\(variable)=") })
        let isSecret = ["WEBHOOK_URL", "WEBHOOK_SECRET"].contains(variable)
        #expect(found.contains { $0.contains(value) } == !isSecret)
    }
}
