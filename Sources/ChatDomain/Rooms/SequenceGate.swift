/// Lets the entries of a room's log through in order, each once. What comes early waits for what is missing before it.
public struct SequenceGate: Sendable {
    /// Early entries held at most; past that they are dropped and read from the store with the rest of the hole.
    public static let capacity = 1024

    /// Everything up to here has been delivered.
    public private(set) var delivered: SequenceNumber
    private var early: [SequenceNumber: RoomLogEntry] = [:]
    /// The newest number known to exist.
    public private(set) var newest: SequenceNumber

    public init(delivered: SequenceNumber) {
        self.delivered = delivered
        newest = delivered
    }

    /// Some entries before the newest known one have not come.
    public var hasHole: Bool { newest > delivered }

    /// Takes entries and returns those that may be delivered now, in order; none for repeats and early ones.
    public mutating func admit(_ entries: [RoomLogEntry]) -> [RoomLogEntry] {
        if early.isEmpty, let last = entries.last?.sequence, isNext(entries) {
            delivered = last
            newest = max(newest, last)
            return entries
        }
        var ready: [RoomLogEntry] = []
        for entry in entries { admit(entry, into: &ready) }
        return ready
    }

    /// Whether these are the entries behind the delivered ones, in order and without a hole: they are returned as they are then, without
    /// a copy.
    private func isNext(_ entries: [RoomLogEntry]) -> Bool {
        var last = delivered
        for entry in entries {
            guard entry.sequence == last + 1 else { return false }
            last += 1
        }
        return true
    }

    private mutating func admit(_ entry: RoomLogEntry, into ready: inout [RoomLogEntry]) {
        guard entry.sequence > delivered else { return }
        newest = max(newest, entry.sequence)
        guard entry.sequence == delivered + 1 else {
            if early.count < Self.capacity { early[entry.sequence] = entry }
            return
        }
        delivered += 1
        ready.append(entry)
        while !early.isEmpty, let next = early.removeValue(forKey: delivered + 1) {
            delivered += 1
            ready.append(next)
        }
    }

    /// Stops waiting for what is missing, unless numbers beyond `sequence` are known.
    public mutating func forgetMissing(upTo sequence: SequenceNumber) {
        guard newest <= sequence else { return }
        newest = delivered
        early = [:]
    }

    /// Learns that entries up to `sequence` exist, without having them.
    public mutating func announce(_ sequence: SequenceNumber) { newest = max(newest, sequence) }
}
