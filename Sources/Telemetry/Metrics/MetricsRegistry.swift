import Synchronization

/// The process's metrics, rendered in the Prometheus text format (version 0.0.4).
///
/// Label sets are given at registration and are few by nature (a kind, a framing, a dependency): there is no way to make one
/// from a user's or a room's id later. Registering the same name and labels again gives the same instrument, so that each
/// loop may ask for its own. Names and labels are written in the source: a malformed one, or one family with two kinds, traps.
public final class MetricsRegistry: Sendable {
    enum Kind: String {
        case counter, gauge, histogram
    }

    enum Source: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
        case callback(@Sendable () -> Double)
    }

    struct Series: Sendable {
        /// `name="value"` pairs as they are rendered, empty without labels.
        let labels: String
        let source: Source
    }

    struct Family: Sendable {
        let name: String
        let help: String
        let kind: Kind
        var series: [Series] = []
    }

    private let families = Mutex<[Family]>([])

    public init() {}

    /// - Parameter name: ends with `_total`.
    public func counter(_ name: String, help: String, labels: KeyValuePairs<String, String> = [:]) -> Counter {
        precondition(name.hasSuffix("_total"), "\(name): a counter's name ends with _total")
        let source = register(name, help, .counter, labels) { .counter(Counter()) }
        guard case .counter(let counter) = source else { preconditionFailure("\(name) is read by a callback") }
        return counter
    }

    /// A counter kept elsewhere and read when the metrics are.
    public func counter(
        _ name: String, help: String, labels: KeyValuePairs<String, String> = [:],
        read: @escaping @Sendable () -> Double
    ) {
        precondition(name.hasSuffix("_total"), "\(name): a counter's name ends with _total")
        _ = register(name, help, .counter, labels) { .callback(read) }
    }

    public func gauge(_ name: String, help: String, labels: KeyValuePairs<String, String> = [:]) -> Gauge {
        let source = register(name, help, .gauge, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = source else { preconditionFailure("\(name) is read by a callback") }
        return gauge
    }

    /// A gauge read when the metrics are; the callback may come from any thread and must not block. NaN leaves the sample out.
    public func gauge(
        _ name: String, help: String, labels: KeyValuePairs<String, String> = [:],
        read: @escaping @Sendable () -> Double
    ) {
        _ = register(name, help, .gauge, labels) { .callback(read) }
    }

    /// - Parameter bounds: ascending upper bounds, in the unit's observed form (microseconds for a duration).
    public func histogram(
        _ name: String, help: String, unit: HistogramUnit, bounds: [Int], labels: KeyValuePairs<String, String> = [:]
    ) -> Histogram {
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "\(name): bounds ascend")
        let source = register(name, help, .histogram, labels) { .histogram(Histogram(unit: unit, bounds: bounds)) }
        guard case .histogram(let histogram) = source, histogram.bounds == bounds else {
            preconditionFailure("\(name) has other bounds")
        }
        return histogram
    }

    /// The exposition, families in the order of their registration.
    public func render() -> [UInt8] {
        // Callbacks run outside the lock: one of them may register, or render something of its own.
        PrometheusText.render(families.withLock { $0 })
    }

    /// The present value of a counter or gauge, the sum over its label sets; nil where none of this name is registered.
    public func value(_ name: String) -> Double? {
        let sources = families.withLock { $0.first { $0.name == name }?.series.map(\.source) } ?? []
        let values = sources.compactMap { source -> Double? in
            switch source {
            case .counter(let counter): Double(counter.value)
            case .gauge(let gauge): Double(gauge.value)
            case .callback(let read): read()
            case .histogram: nil
            }
        }
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    private func register(
        _ name: String, _ help: String, _ kind: Kind, _ labels: KeyValuePairs<String, String>, make: () -> Source
    ) -> Source {
        precondition(PrometheusText.isName(name), "\(name) is no metric name")
        precondition(labels.allSatisfy { PrometheusText.isName($0.key) && $0.key != "le" }, "\(name): bad label")
        let rendered = PrometheusText.labels(labels)
        return families.withLock { families in
            let position: Int
            if let known = families.firstIndex(where: { $0.name == name }) {
                precondition(families[known].kind == kind, "\(name) is registered as another kind")
                position = known
            } else {
                families.append(Family(name: name, help: help, kind: kind))
                position = families.count - 1
            }
            if let known = families[position].series.first(where: { $0.labels == rendered }) { return known.source }
            let source = make()
            families[position].series.append(Series(labels: rendered, source: source))
            return source
        }
    }
}
