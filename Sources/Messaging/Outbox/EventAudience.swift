public import ChatDomain

/// Whether each recipient of a message gets an event, or all recipients share one.
public enum EventMode: String, CaseIterable, Sendable {
    case recipient
    case message
}

/// A stored message or change with the recipients of its events.
struct AddressedEntry: Sendable {
    var entry: RoomLogEntry
    /// The room's participants except the user that sent it, as they were when the event was made.
    var recipients: [UserID]
    /// The users who were online, recipients and others.
    var online: Set<UserID>
    /// The trace that the entry belongs to, if it is known.
    var traceparent: String?

    func eventCount(_ mode: EventMode) -> Int {
        guard MessageEvent.type(of: entry) != nil else { return 0 }
        return switch mode {
        case .recipient: recipients.count
        case .message: recipients.isEmpty ? 0 : 1
        }
    }
}

/// The questions that the relay asks other parts of the service.
public struct EventDirectory: Sendable {
    /// The participants of each of these rooms; rooms that no longer exist are absent.
    public var people: @Sendable ([RoomID]) async throws(StoreError) -> [RoomID: RoomPeople]
    /// Which of these users are known to have a live session on any instance.
    public var online: @Sendable ([UserID]) async -> Set<UserID>
    /// Whether an instance is alive and so publishes its own events.
    public var isAlive: @Sendable (InstanceID) async -> Bool

    public init(
        people: @escaping @Sendable ([RoomID]) async throws(StoreError) -> [RoomID: RoomPeople],
        online: @escaping @Sendable ([UserID]) async -> Set<UserID>,
        isAlive: @escaping @Sendable (InstanceID) async -> Bool
    ) {
        self.people = people
        self.online = online
        self.isAlive = isAlive
    }
}

extension EventDirectory {
    /// Adds each entry's recipients, with one question about all rooms and one about all their participants.
    func address(_ entries: [RoomLogEntry]) async throws(StoreError) -> [AddressedEntry] {
        guard !entries.isEmpty else { return [] }
        let people = try await people(Array(Set(entries.map(\.roomID))))
        let participants = Set(people.values.map(\.participants).joined())
        let ordered = people.mapValues { $0.participants.sorted { $0.value < $1.value } }
        let online = participants.isEmpty ? [] : await online(Array(participants))
        return entries.map { entry in
            let room = entry.roomID
            let isOfThisRoom = people[room].map { $0.historyBase < entry.sequence } ?? false
            let recipients = isOfThisRoom ? ordered[room]?.filter { $0 != entry.sender } : nil
            return AddressedEntry(entry: entry, recipients: recipients ?? [], online: online)
        }
    }
}

extension RoomLogEntry {
    fileprivate var sender: UserID {
        switch self {
        case .message(let message): message.body.author
        case .change(let change): change.user.userID
        }
    }
}
