public import ChatDomain
import Crypto
public import HTTPClient
import Synchronization
public import Telemetry

/// Asks a service of the operator's about each text before it is stored, with a deadline. What comes after it is ignored.
public final class BeforeMessageHook: MessageHook {
    /// What becomes of a message when the hook gives no valid answer in time.
    public enum FailureRule: String, CaseIterable, Hashable, Sendable {
        /// The message is stored as it is.
        case allow
        /// The sender gets `overloaded`, which is retryable.
        case refuse
    }

    /// An operator's decisions about the hook.
    public struct Settings: Equatable, Sendable {
        /// An absolute URL.
        public var url: String
        public var signer: WebhookSigner
        public var deadline: Duration
        public var failureRule: FailureRule
        /// The longest text that a client may send, in bytes of UTF-8.
        public var maximumMessageBytes: Int

        public init(
            url: String, signer: WebhookSigner, deadline: Duration = .milliseconds(300),
            failureRule: FailureRule = .refuse, maximumMessageBytes: Int
        ) {
            self.url = url
            self.signer = signer
            self.deadline = deadline
            self.failureRule = failureRule
            self.maximumMessageBytes = maximumMessageBytes
        }
    }

    /// JSON writes a byte with six at most.
    private static let bytesPerByte = 6
    /// Bytes of an answer besides its text.
    private static let answerOverhead = 8192

    private let settings: Settings
    private let clock: @Sendable () -> Timestamp
    private let send: @Sendable (HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse
    private let metrics: Metrics
    private let trouble: OccasionalLogger
    private let lastFailure = Mutex<String?>(nil)

    /// - Parameters:
    ///   - clock: the wall clock.
    ///   - send: sends a request of HTTP, and keeps its deadline.
    public init(
        _ settings: Settings, clock: @escaping @Sendable () -> Timestamp, logger: Logger, registry: MetricsRegistry,
        send: @escaping @Sendable (HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse
    ) {
        self.settings = settings
        self.clock = clock
        self.send = send
        metrics = Metrics(registry)
        trouble = OccasionalLogger(logger)
    }

    public func verdict(on question: HookQuestion) async -> HookVerdict {
        let began = WallClock.monotonicMicroseconds()
        let answer = await ask(question)
        metrics.duration.observe(Int(WallClock.monotonicMicroseconds() - began))
        switch answer {
        case .success(let verdict):
            lastFailure.withLock { $0 = nil }
            metrics.count(verdict)
            return verdict
        case .failure(let failure):
            lastFailure.withLock { $0 = failure.reason }
            metrics.failed.add()
            trouble.warning(
                "the hook before messages gave no valid answer",
                ["reason": failure.reason, "messages": settings.failureRule.rawValue])
            return settings.failureRule == .allow
                ? .allow : .refuse(ChatError(.overloaded, "the message cannot be checked now; try again"))
        }
    }

    /// Why the last answer was none; nil when it was valid.
    public var failureReason: String? { lastFailure.withLock { $0 } }

    private struct Failure: Error { var reason: String }

    private func ask(_ question: HookQuestion) async -> Result<HookVerdict, Failure> {
        let now = clock()
        let body = HookMessages.body(of: question, at: now)
        let signed = settings.signer.fields(
            id: "hook_" + SecureRandom.hex(bytes: 12), timestamp: now.milliseconds / 1000, body: body)
        let request = HTTPClientRequest(
            .post, settings.url,
            fields: [("content-type", "application/json"), ("user-agent", "chat-service")] + signed, body: body,
            deadline: settings.deadline,
            maximumBytes: settings.maximumMessageBytes * Self.bytesPerByte + Self.answerOverhead)
        do throws(HTTPClientError) {
            let answer = try await send(request)
            let verdict = HookMessages.verdict(
                status: answer.status, body: answer.body, maximumBytes: settings.maximumMessageBytes)
            guard let verdict else {
                return .failure(Failure(reason: "an answer that is none of the three, with status \(answer.status)"))
            }
            return .success(verdict)
        } catch {
            return .failure(Failure(reason: error.description))
        }
    }
}

extension BeforeMessageHook {
    private struct Metrics: Sendable {
        let failed: Counter
        let duration: Histogram
        private let allowed: Counter
        private let replaced: Counter
        private let refused: Counter

        init(_ registry: MetricsRegistry) {
            func answers(_ answer: String) -> Counter {
                registry.counter(
                    "chat_hook_answers_total", help: "Questions to the hook before messages, by its answer.",
                    labels: ["answer": answer])
            }
            allowed = answers("allow")
            replaced = answers("replace")
            refused = answers("refuse")
            failed = answers("none")
            duration = registry.histogram(
                "chat_hook_seconds", help: "Time until the hook answered, or its deadline.", unit: .microseconds,
                bounds: [1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 200_000, 300_000, 1_000_000])
        }

        func count(_ verdict: HookVerdict) {
            switch verdict {
            case .allow: allowed.add()
            case .replace: replaced.add()
            case .refuse: refused.add()
            }
        }
    }
}
