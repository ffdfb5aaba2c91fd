/// Publications that could not be sent, until the connection stands again: bounded in bytes and in age, oldest out first.
///
/// Without it the last message of a room, stored while Redis was just coming back, would reach other instances only by
/// their slow sweep.
struct PublicationBacklog<Item> {
    struct Entry {
        /// Where the publication stands among all of its instance.
        let order: UInt64
        let bytes: Int
        let since: Int64
        let item: Item
    }

    private var entries: [Entry] = []
    private var bytes = 0
    private let maximumBytes: Int
    private let maximumAge: Int64

    /// - Parameter maximumAge: milliseconds.
    init(maximumBytes: Int, maximumAge: Int64) {
        self.maximumBytes = maximumBytes
        self.maximumAge = maximumAge
    }

    /// - Returns: how many had to go.
    mutating func add(_ entry: Entry) -> Int {
        entries.append(entry)
        bytes += entry.bytes
        guard bytes > maximumBytes else { return 0 }
        // A good part at once, so that a full backlog does not shift with every publication.
        var cut = 0
        while cut < entries.count, bytes > maximumBytes * 3 / 4 {
            bytes -= entries[cut].bytes
            cut += 1
        }
        entries.removeFirst(cut)
        return cut
    }

    /// Everything that is still worth sending, in its order; and how many are too old.
    mutating func take(at now: Int64) -> (items: [Entry], expired: Int) {
        defer {
            entries = []
            bytes = 0
        }
        let fresh = entries.filter { now - $0.since <= maximumAge }.sorted { $0.order < $1.order }
        return (fresh, entries.count - fresh.count)
    }
}
