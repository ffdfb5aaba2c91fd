import ChatDomain

/// When a batch may be committed.
///
/// A flush costs the same for one message as for fifty. Where many rooms talk a little, commits therefore start some
/// time apart and each takes along what came meanwhile: the more rooms the last one held, the longer, since as many may
/// be expected again. Nobody waits who would wait alone: the first batch after a silence goes at once, and so does one
/// that holds only rooms of the batch before, whose senders waited for that.
struct CommitPacing {
    /// What each room of a commit adds to the time until the next.
    static let spacingPerRoom: Duration = .milliseconds(1)

    private let maximumSpacing: Duration
    private var next: ContinuousClock.Instant?
    private var lastRooms: Set<RoomID> = []

    /// - Parameter maximumSpacing: between the starts of two commits; zero for none.
    init(maximumSpacing: Duration) { self.maximumSpacing = maximumSpacing }

    /// How long to gather more before committing; nil to commit now.
    func pause(before rooms: some Sequence<RoomID>, at now: ContinuousClock.Instant) -> Duration? {
        guard let next, now < next, rooms.contains(where: { !lastRooms.contains($0) }) else { return nil }
        return next - now
    }

    mutating func started(with rooms: some Sequence<RoomID>, at now: ContinuousClock.Instant) {
        guard maximumSpacing > .zero else { return }
        lastRooms.removeAll(keepingCapacity: true)
        for room in rooms { lastRooms.insert(room) }
        next = now + min(maximumSpacing, Self.spacingPerRoom * lastRooms.count)
    }
}
