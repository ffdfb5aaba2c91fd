import Crypto

/// Sessions whose clients have not said who they are: so many at most, and with one more the oldest has to go. Those who are in
/// earnest say it at once, so that a crowd of others does not keep them out.
struct StrangerQueue {
    private let limit: Int
    private var waiting: Set<RandomID> = []
    /// In the order they came; with some that are strangers no longer.
    private var arrivals: [RandomID] = []

    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { waiting.count }

    /// Takes up a newcomer; who has to go for it.
    mutating func add(_ id: RandomID) -> RandomID? {
        waiting.insert(id)
        arrivals.append(id)
        guard waiting.count > limit else {
            // Many that came have said who they are.
            if arrivals.count > 2 * limit { arrivals.removeAll { !waiting.contains($0) } }
            return nil
        }
        let oldest = arrivals.firstIndex(where: waiting.contains)
        guard let oldest else { return nil }
        let id = arrivals[oldest]
        arrivals.removeFirst(oldest + 1)
        waiting.remove(id)
        return id
    }

    mutating func remove(_ id: RandomID) { waiting.remove(id) }
}
