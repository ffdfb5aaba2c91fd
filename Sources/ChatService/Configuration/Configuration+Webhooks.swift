import HTTPClient
import MessagingWebhooks

extension Configuration {
    /// The operator's own services that this instance calls.
    struct Webhooks: Equatable, Sendable {
        /// nil: no receivers.
        var webhooks: MessagingWebhooks.Webhooks.Settings?
        /// nil: messages are stored without a question.
        var beforeMessage: BeforeMessageHook.Settings?
        /// The file of certificates that these services may be certified by; nil: the system's.
        var certificateAuthorities: String?

        init() {}
    }
}

extension Configuration.Webhooks {
    /// - Parameter maximumMessageBytes: the longest text that a client may send.
    init(reading reader: inout ConfigurationReader, maximumMessageBytes: Int) {
        let urls = reader.optional(Variables.webhookURL)
        let signer = reader.optional(Variables.webhookSecret)
        let kinds = reader.optional(Variables.webhookEvents)
        let timeLimit = reader.value(Variables.webhookTimeout)
        let delays = reader.optional(Variables.webhookRetries)
        let hookURL = reader.optional(Variables.hookURL)
        let hookDeadline = reader.value(Variables.hookDeadline)
        let failureRule = reader.value(Variables.hookFailure)
        certificateAuthorities = reader.optional(Variables.webhookCAFile)
        for variable in [Variables.webhookURL, Variables.hookURL] as [any AnyVariable]
        where reader.isSet(variable) && !reader.isSet(Variables.webhookSecret) {
            reader.refuse("\(variable.name) needs WEBHOOK_SECRET, with which requests are signed")
        }
        guard let signer else { return }
        webhooks = urls.map { urls in
            var settings = MessagingWebhooks.Webhooks.Settings(urls: urls, signer: signer, timeLimit: timeLimit)
            if let kinds { settings.kinds = kinds }
            if let delays { settings.schedule = RetrySchedule(delays: delays) }
            return settings
        }
        beforeMessage = hookURL.map { url in
            BeforeMessageHook.Settings(
                url: url, signer: signer, deadline: hookDeadline, failureRule: failureRule,
                maximumMessageBytes: maximumMessageBytes)
        }
    }
}

extension BeforeMessageHook.FailureRule: Choice {}

extension ValueType<[String]> {
    private static let maximumReceivers = 16

    /// Addresses of receivers, each once.
    static let webURLs = Self(
        allowed: "up to \(maximumReceivers) different URLs (https://host[:port][/path]) with commas between"
    ) { text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        let urls = parts.compactMap(ValueType<String>.webURL.parse)
        return urls.count == parts.count && urls.count <= maximumReceivers && Set(urls).count == urls.count ? urls : nil
    }
}

extension ValueType<WebhookSigner> {
    static let webhookSecrets = Self(
        allowed: "whsec_ and 24 to 64 bytes in Base64, which is never shown; several with commas between"
    ) { WebhookSigner(secrets: $0) }
}

extension ValueType<Set<WebhookEventKind>> {
    static let webhookEvents = Self(
        allowed:
            "one or more of \(WebhookEventKind.allCases.map(\.rawValue).joined(separator: ", ")), with commas between"
    ) { text in
        let parts = text.split(separator: ",").map { $0.trimmingBlanks() }
        let kinds = parts.compactMap { WebhookEventKind(rawValue: $0) }
        return kinds.count == parts.count && !kinds.isEmpty ? Set(kinds) : nil
    }
}

extension ValueType<[Duration]> {
    private static let maximumRetries = 20

    static let retryDelays = Self(
        allowed: "up to \(maximumRetries) spans with units and commas between: 5s,5m,2h"
    ) { text in
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingBlanks() }
        let delays = parts.compactMap(ValueType<Duration>.withUnit.parse)
        return delays.count == parts.count && delays.count <= maximumRetries ? delays : nil
    }
}
