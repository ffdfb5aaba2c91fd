import ChatDomain

/// Verdicts by the digests of their tokens, each for a limited time. Past its capacity the oldest goes.
struct VerdictCache<Verdict: Sendable>: Sendable {
    private struct Entry {
        let verdict: Verdict
        let end: Moment
        /// Counts insertions, so that an entry is told from an earlier one of the same token.
        let number: UInt64
    }

    private let capacity: Int
    private var entries: [[UInt8]: Entry] = [:]
    /// The digests in the order they came, each with the end and the number that its entry had then.
    private var order: [(digest: [UInt8], end: Moment, number: UInt64)] = []
    private var lastNumber: UInt64 = 0
    /// The index of the oldest that is left in `order`.
    private var head = 0

    /// - Parameter capacity: at least 1.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    /// nil for a token without a verdict, or with one whose time is over.
    func verdict(on digest: [UInt8], now: Moment) -> Verdict? {
        guard let entry = entries[digest], now < entry.end else { return nil }
        return entry.verdict
    }

    mutating func insert(_ verdict: Verdict, on digest: [UInt8], until end: Moment, now: Moment) {
        lastNumber &+= 1
        entries[digest] = Entry(verdict: verdict, end: end, number: lastNumber)
        order.append((digest, end, lastNumber))
        while let oldest = head < order.count ? order[head] : nil, order.count - head > capacity || oldest.end <= now {
            head += 1
            // A later verdict on the same token has its own place.
            if entries[oldest.digest]?.number == oldest.number { entries[oldest.digest] = nil }
        }
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
    }
}
