import ChatDomain

/// When a batch may be committed.
///
/// A flush costs the same for one message as for fifty. Where many rooms talk a little, commits therefore start some
/// time apart and each takes along what came meanwhile. Nobody waits who would wait alone: the first batch after a
/// silence goes at once, and so does one that holds only rooms of the batch before, whose senders waited for that.
struct CommitPacing {
    private let spacing: Duration
    private var lastStart: ContinuousClock.Instant?
    private var lastRooms: Set<ByteExactKey> = []

    /// - Parameter spacing: between the starts of two commits; zero for none.
    init(spacing: Duration) { self.spacing = spacing }

    /// How long to gather more before committing; nil to commit now.
    func pause(before rooms: some Sequence<RoomID>, at now: ContinuousClock.Instant) -> Duration? {
        guard let lastStart, now < lastStart + spacing else { return nil }
        guard rooms.contains(where: { !lastRooms.contains(ByteExactKey($0)) }) else { return nil }
        return lastStart + spacing - now
    }

    mutating func started(with rooms: some Sequence<RoomID>, at now: ContinuousClock.Instant) {
        lastStart = now
        lastRooms.removeAll(keepingCapacity: true)
        if spacing > .zero { for room in rooms { lastRooms.insert(ByteExactKey(room)) } }
    }
}
