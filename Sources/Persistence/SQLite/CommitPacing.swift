import ChatDomain

/// When a batch may be committed.
///
/// A flush costs the same for one message as for fifty. Where many rooms talk a little, commits therefore start some
/// time apart and each takes along what came meanwhile. No sender waits alone: the first batch after a silence goes at once,
/// and so do a batch that holds enough already and one that holds only rooms of the batch before, whose senders waited for
/// that.
struct CommitPacing {
    /// Rooms that make a commit worth its flush.
    static let enoughRooms = 8

    private let spacing: Duration
    private var next: ContinuousClock.Instant?
    private var lastRooms: [RoomID] = []

    /// - Parameter spacing: between the starts of two commits; zero for none.
    init(spacing: Duration) { self.spacing = spacing }

    /// How long to gather more before committing; nil to commit now.
    func pause(before rooms: some Sequence<RoomID>, at now: ContinuousClock.Instant) -> Duration? {
        guard let next, now < next else { return nil }
        let few = Array(rooms.prefix(Self.enoughRooms))
        guard few.count < Self.enoughRooms, few.contains(where: { !lastRooms.contains($0) }) else { return nil }
        return next - now
    }

    mutating func started(with rooms: some Sequence<RoomID>, at now: ContinuousClock.Instant) {
        guard spacing > .zero else { return }
        lastRooms.removeAll(keepingCapacity: true)
        lastRooms.append(contentsOf: rooms)
        if !lastRooms.isEmpty { next = now + spacing }
    }
}
