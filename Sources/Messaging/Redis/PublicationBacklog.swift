import ChatDomain

/// Publications that wait for the next connection, bounded in bytes and in age. The oldest are dropped first.
///
/// Without it the last message of a room, stored while Redis was just coming back, would reach other instances only by
/// their slow sweep.
struct PublicationBacklog<Item> {
    struct Entry {
        /// The publication's place in the order of all publications of its instance.
        let order: UInt64
        let bytes: Int
        let since: Moment
        let item: Item
    }

    private var entries: [Entry] = []
    private var bytes = 0
    private let maximumBytes: Int
    private let maximumAge: Duration

    init(maximumBytes: Int, maximumAge: Duration) {
        self.maximumBytes = maximumBytes
        self.maximumAge = maximumAge
    }

    /// - Returns: how many were dropped.
    mutating func add(_ entry: Entry) -> Int {
        entries.append(entry)
        bytes += entry.bytes
        guard bytes > maximumBytes else { return 0 }
        // A quarter is dropped at once, so that a full backlog is not shifted with every publication.
        var cut = 0
        while cut < entries.count, bytes > maximumBytes * 3 / 4 {
            bytes -= entries[cut].bytes
            cut += 1
        }
        entries.removeFirst(cut)
        return cut
    }

    /// Takes everything that is young enough, in order.
    ///
    /// - Returns: the publications, and how many were too old.
    mutating func takeAll(at now: Moment) -> (items: [Entry], expired: Int) {
        defer {
            entries = []
            bytes = 0
        }
        let fresh = entries.filter { now <= $0.since + maximumAge }.sorted { $0.order < $1.order }
        return (fresh, entries.count - fresh.count)
    }
}
