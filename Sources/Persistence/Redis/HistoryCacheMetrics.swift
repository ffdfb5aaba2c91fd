import Telemetry

/// The cache's instruments.
struct HistoryCacheMetrics: Sendable {
    let hits: Counter
    let misses: Counter
    let failures: Counter
    let malformed: Counter
    let contradicted: Counter

    init(_ registry: MetricsRegistry) {
        let reads = "Pages of history asked of the cache, by whether it had them."
        hits = registry.counter("chat_history_cache_reads_total", help: reads, labels: ["result": "hit"])
        misses = registry.counter("chat_history_cache_reads_total", help: reads, labels: ["result": "miss"])
        failures = registry.counter(
            "chat_history_cache_failures_total", help: "Calls of the cache that Redis did not answer or refused.")
        let dropped = "Lists the cache threw away, by cause."
        malformed = registry.counter(
            "chat_history_cache_dropped_total", help: dropped, labels: ["cause": "malformed"])
        contradicted = registry.counter(
            "chat_history_cache_dropped_total", help: dropped, labels: ["cause": "contradicted"])
    }
}
