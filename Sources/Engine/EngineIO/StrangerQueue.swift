import Crypto

/// Sessions whose clients have not identified themselves. Their number is bounded: one more ends the oldest. Most clients
/// identify themselves at once, so that a crowd of silent ones does not keep them out.
struct StrangerQueue {
    /// Arrivals beyond twice the sessions that wait, before those that do not wait any more are taken out.
    private static let slack = 256

    private let limit: Int
    private var waiting: Set<RandomID> = []
    /// In the order they came; some of them may have identified themselves since.
    private(set) var arrivals: [RandomID] = []

    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { waiting.count }

    /// Adds a session.
    ///
    /// - Returns: the session that has to end for it; nil while there is room.
    mutating func add(_ id: RandomID) -> RandomID? {
        waiting.insert(id)
        arrivals.append(id)
        // Most of the arrivals have identified themselves.
        if arrivals.count > 2 * waiting.count + Self.slack { arrivals = arrivals.filter(waiting.contains) }
        guard waiting.count > limit else { return nil }
        guard let oldest = arrivals.firstIndex(where: waiting.contains) else { return nil }
        let id = arrivals[oldest]
        arrivals.removeFirst(oldest + 1)
        waiting.remove(id)
        return id
    }

    mutating func remove(_ id: RandomID) { waiting.remove(id) }
}
