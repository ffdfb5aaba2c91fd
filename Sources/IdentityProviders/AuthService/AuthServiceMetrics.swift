import Telemetry

/// The instruments of the calls to the Auth Service.
struct AuthServiceMetrics: Sendable {
    /// Verdicts that were known from an earlier call.
    let hits: Counter
    private let accepted: Counter
    private let refused: Counter
    private let failed: Counter
    private let duration: Histogram

    init(_ registry: MetricsRegistry) {
        func counter(_ result: String) -> Counter {
            registry.counter(
                "chat_auth_service_calls_total", help: "Calls of the Auth Service, by their result.",
                labels: ["result": result])
        }
        accepted = counter("accepted")
        refused = counter("refused")
        failed = counter("failed")
        hits = registry.counter(
            "chat_auth_service_cache_hits_total", help: "Tokens that an earlier answer of the Auth Service decided.")
        duration = registry.histogram(
            "chat_auth_service_call_seconds", help: "Time of calls of the Auth Service, failed ones included.",
            unit: .microseconds,
            bounds: [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000])
    }

    func observe(_ span: Duration) { duration.observe(Int(span / .microseconds(1))) }

    func count(_ outcome: CallOutcome) {
        switch outcome {
        case .accepted: accepted.add()
        case .refused: refused.add()
        case .failed, .notSent: failed.add()
        }
    }
}
