import Synchronization

/// A number that only grows. Adding is one relaxed atomic operation, from any thread; add a batch's size once, not one by one.
public final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    public func add(_ amount: Int = 1) {
        guard amount > 0 else { return }
        count.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    public var value: UInt64 { count.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let level = Atomic<Int>(0)

    init() {}

    public func set(_ value: Int) { level.store(value, ordering: .relaxed) }
    public func add(_ amount: Int = 1) { level.wrappingAdd(amount, ordering: .relaxed) }
    public func subtract(_ amount: Int = 1) { level.wrappingSubtract(amount, ordering: .relaxed) }

    public var value: Int { level.load(ordering: .relaxed) }
}

/// The unit of a histogram's observations, and the base unit they are shown in.
public enum HistogramUnit: Sendable {
    /// Observed in microseconds, shown in seconds.
    case microseconds
    /// Bytes, messages, members: shown as they are.
    case plain

    var divisor: Double {
        switch self {
        case .microseconds: 1_000_000
        case .plain: 1
        }
    }
}

/// A distribution over fixed buckets. An observation is two relaxed atomic additions.
public final class Histogram: Sendable {
    let unit: HistogramUnit
    let bounds: [Int]
    private let buckets: [Counter]
    private let total = Atomic<Int>(0)

    init(unit: HistogramUnit, bounds: [Int]) {
        self.unit = unit
        self.bounds = bounds
        self.buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// - Parameter value: in the unit's observed form; negative ones (a clock set back) count as 0.
    public func observe(_ value: Int) {
        let value = max(0, value)
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        buckets[bucket].add()
        total.wrappingAdd(value, ordering: .relaxed)
    }

    /// The distribution now: the bounds as observed, how many observations fell between each bound and the one before, with those
    /// above all bounds last, and the sum of all observations.
    public var distribution: (bounds: [Int], counts: [UInt64], sum: Int) {
        (bounds, buckets.map(\.value), total.load(ordering: .relaxed))
    }

    /// Observations at or below each bound, the last one without a bound; and their sum, as observed.
    var snapshot: (cumulative: [UInt64], sum: Int) {
        var running: UInt64 = 0
        let cumulative = buckets.map { bucket in
            running += bucket.value
            return running
        }
        return (cumulative, total.load(ordering: .relaxed))
    }
}
