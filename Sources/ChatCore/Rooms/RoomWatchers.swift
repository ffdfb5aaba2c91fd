import ChatDomain

/// The shards whose sessions watch the presence of a room's participants, and the state that was sent to them last.
final class RoomWatchers {
    /// Changes are sent at most this often: many may come in at once.
    private static let interval: Duration = .milliseconds(250)

    private let room: RoomID
    private let context: ShardContext
    private let read: () -> (room: WatchedRoom, revision: UInt32)?
    private var shards: Set<UInt16> = []
    private var toldRevision: UInt32 = 0
    private var isScheduled = false

    /// - Parameter read: the room as it is now, and the revision of its participants; nil once it is closed.
    init(of room: RoomID, context: ShardContext, read: @escaping () -> (room: WatchedRoom, revision: UInt32)?) {
        self.room = room
        self.context = context
        self.read = read
    }

    var isEmpty: Bool { shards.isEmpty }

    func add(_ shard: UInt16) {
        shards.insert(shard)
        tell([shard])
    }

    func remove(_ shard: UInt16) { shards.remove(shard) }

    /// - Parameter revision: moves on whenever the participants may have changed.
    func participantsMayHaveChanged(_ revision: UInt32) {
        guard !shards.isEmpty, !isScheduled, revision != toldRevision else { return }
        isScheduled = true
        context.loop.schedule(after: Self.interval) { [weak self] in
            guard let self else { return }
            isScheduled = false
            if !shards.isEmpty { tell(shards) }
        }
    }

    /// Through the mailbox, as the answer to a watching session goes: it must not overtake what it is about.
    private func tell(_ targets: Set<UInt16>) {
        guard let now = read() else { return }
        toldRevision = now.revision
        for shard in targets { context.services.mailbox(shard).post(.watched(room, now.room)) }
    }

    /// The room is gone.
    func end() {
        for shard in shards { context.services.mailbox(shard).post(.watched(room, nil)) }
        shards = []
    }
}
