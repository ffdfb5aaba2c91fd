import ChatDomain

/// Read marks that authors moved by sending. They follow the messages a moment later, one write for all that an author sent
/// to a room meanwhile: in the step that stores a message, its mark would dirty another page.
///
/// After a crash the marks of the last moment are missing. Reads take an author's own newest message for read all the same.
struct AuthorMarks {
    struct Place: Hashable {
        var room: RoomID
        var user: UserID
    }

    /// How long a mark may wait.
    static let interval: Duration = .seconds(1)
    /// Marks that are written without waiting any longer.
    private static let capacity = 4096

    /// Of messages that are durable.
    private var waiting: [Place: SequenceNumber] = [:]
    /// Of messages in the transaction under way.
    private var uncommitted: [(place: Place, sequence: SequenceNumber)] = []
    private var isWriting = false
    private var due: ContinuousClock.Instant?

    /// Takes the mark of a message that the transaction under way stores.
    mutating func note(_ sequence: SequenceNumber, at place: Place) { uncommitted.append((place, sequence)) }

    /// How far the user has read by sending; 0 when no mark waits.
    func sequence(at place: Place) -> SequenceNumber {
        uncommitted.reduce(waiting[place] ?? 0) { $1.place == place ? max($0, $1.sequence) : $0 }
    }

    func isDue(at now: ContinuousClock.Instant) -> Bool {
        waiting.count >= Self.capacity || due.map { $0 <= now } ?? false
    }

    var isEmpty: Bool { waiting.isEmpty }

    /// What the transaction under way is to write, ordered by room.
    mutating func take() -> [(place: Place, sequence: SequenceNumber)] {
        isWriting = true
        return waiting.map { ($0.key, $0.value) }.sorted {
            ($0.place.room, $0.place.user) < ($1.place.room, $1.place.user)
        }
    }

    /// - Returns: whether marks wait now, and none did before.
    mutating func committed(at now: ContinuousClock.Instant) -> Bool {
        if isWriting {
            waiting.removeAll(keepingCapacity: true)
            due = nil
        }
        isWriting = false
        for (place, sequence) in uncommitted { waiting[place] = max(sequence, waiting[place] ?? 0) }
        uncommitted.removeAll(keepingCapacity: true)
        guard !waiting.isEmpty, due == nil else { return false }
        due = now + Self.interval
        return true
    }

    mutating func rolledBack() {
        uncommitted.removeAll(keepingCapacity: true)
        isWriting = false
    }
}
