public import ChatDomain
import Workers

/// The embedded store: one SQLite file in the data directory, used by one process at a time.
///
/// One thread writes, with a group commit: all that waits becomes durable together. Two threads read, each on a
/// connection of its own, and never wait for the writer. An answered write is seen by every read after it.
public final class SQLiteStore: DurableStore {
    /// When a commit counts as durable.
    public enum Durability: String, Sendable {
        /// Flushed to the disk: survives a power loss.
        case full = "FULL"
        /// Handed to the system: survives the process's death; a power loss may take the last moments, never more.
        case normal = "NORMAL"
    }

    public var isShared: Bool { false }

    private static let readers = 2
    /// Past this many waiting jobs calls fail, so that a stuck disk does not eat the memory.
    private static let maximumWaiting = 65_536

    private let writes = WorkQueue<WriteJob>(capacity: maximumWaiting)
    private let reads = WorkQueue<@Sendable (SQLiteConnection) -> Void>(capacity: maximumWaiting)
    /// Each job is given the path of the database.
    let backups = WorkQueue<@Sendable (String) -> Void>(capacity: 1)
    private let unmoved = UnmovedMessages()
    private let helper = CheckpointHelper()
    private let health = WriterHealth()
    private let lock: DirectoryLock
    private let threads: [WorkerThread]

    /// Opens `chat.db` in `directory`; makes both where they are missing.
    ///
    /// - Parameter commitSpacing: the time between the starts of two commits that hold different rooms' messages: under load
    ///   at most this much is added to a message's latency. Zero for no waiting at all.
    /// - Throws: `.unavailable` when the directory cannot be used or another process uses it, `.rejected` when the file
    ///   was made by a newer version of this program.
    public init(
        directory: String, options: StoreOptions, durability: Durability = .full,
        commitSpacing: Duration = .microseconds(800)
    ) throws(StoreError) {
        let lock = try DirectoryLock(directory: directory)
        let files = StoreFiles(directory: directory)
        try files.finishExchange()
        let path = files.database
        if !Files.exists(path) { try Files.makePrivate(path) }
        let writer = try Writer(
            queue: writes, health: health, checkpointer: Checkpointer(helper: helper),
            pacing: CommitPacing(spacing: commitSpacing)
        ) { [unmoved] () throws(StoreError) in
            try WriteSession(path: path, options: options, durability: durability, unmoved: unmoved)
        }
        // The threads hold the lock too: it may not go while one of them still works off its queue.
        var threads = [
            try WorkerThread.start(name: "sqlite-write", orThrow: StoreError.unavailable) {
                withExtendedLifetime(lock) { writer.run() }
            }
        ]
        let helperConnection = try SQLiteConnection(path: path, mode: .readWrite)
        threads.append(
            try WorkerThread.start(name: "sqlite-copy", orThrow: StoreError.unavailable) { [helper] in
                withExtendedLifetime(lock) { helper.run(on: helperConnection) }
            })
        threads.append(
            try WorkerThread.start(name: "sqlite-backup", orThrow: StoreError.unavailable) { [backups] in
                withExtendedLifetime(lock) { while let backup = backups.next() { backup(path) } }
            })
        for _ in 0..<Self.readers {
            let connection = try SQLiteConnection(path: path, mode: .readOnly)
            threads.append(
                try WorkerThread.start(name: "sqlite-read", orThrow: StoreError.unavailable) { [reads] in
                    withExtendedLifetime(lock) { while let read = reads.next() { read(connection) } }
                })
        }
        self.lock = lock
        self.threads = threads
    }

    deinit { closeQueues() }

    public func close() async {
        closeQueues()
        for thread in threads { await thread.finished() }
        lock.unlock()
    }

    public func probe() async throws(StoreError) {
        if health.isFailing {
            try await write { session throws(StoreError) in try session.touch() }
        } else {
            try await read { connection throws(StoreError) in
                _ = try connection.statement("SELECT 1 FROM settlements").first { _ in true }
            }
        }
    }

    private func closeQueues() {
        writes.close()
        reads.close()
        backups.close()
        helper.close()
    }

    /// Runs `body` on a reader's thread.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (SQLiteConnection) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await reads.run(orThrow: .refused, body)
    }

    /// Runs `body` inside the writer's next transaction; returns when that is durable.
    func write<Value: Sendable>(
        _ body: @escaping @Sendable (WriteSession) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let isTaken = writes.post(.mutation(body) { continuation.resume(returning: $0) })
            if !isTaken { continuation.resume(returning: .failure(.refused)) }
        }
        return try result.get()
    }
}

// MARK: - Messages

extension SQLiteStore {
    public func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        let job = WriteJob.commit(writes, completion)
        if !self.writes.post(job) { job.fail(.refused) }
    }

    public func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        try await read { [unmoved] connection throws(StoreError) in
            let tail = unmoved.tail(of: room, query)
            return try connection.consistently { () throws(StoreError) in
                try connection.history(of: room, query, tail: tail)
            }
        }
    }

    public func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.lastSequences(of: rooms, unmoved: unmoved.newest(in: rooms))
        }
    }
}

// MARK: - Rooms

extension SQLiteStore {
    public func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot? {
        try await read { [unmoved] connection throws(StoreError) in
            let newest = unmoved.newest(in: id)?.sequence ?? 0
            return try connection.consistently { () throws(StoreError) in try connection.room(id, unmoved: newest) }
        }
    }

    public func create(
        _ room: Room, participants: [UserID]
    ) async throws(StoreError) -> (snapshot: RoomSnapshot, created: Bool) {
        try await write { session throws(StoreError) in try session.create(room, participants: participants) }
    }

    public func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in try session.revise(id, revision, at: time) }
    }

    public func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in try session.delete(id, at: time) }
    }

    public func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in try session.add(user, to: id, limit: limit) }
    }

    public func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool {
        try await write { session throws(StoreError) in try session.remove(user, from: id) }
    }

    public func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.rooms(of: user, after: cursor, limit: limit, unmoved: unmoved)
        }
    }

    public func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber {
        try await read { connection throws(StoreError) in try connection.readMark(of: user, in: room) }
    }

    public func readMarks(
        in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [ReadMark] {
        try await read { connection throws(StoreError) in
            try connection.readMarks(in: room, after: cursor, limit: limit)
        }
    }
}

// MARK: - People

extension SQLiteStore {
    public func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile] {
        try await read { connection throws(StoreError) in try connection.profiles(of: users) }
    }

    public func update(_ user: UserID, _ profile: Profile) async throws(StoreError) {
        try await write { session throws(StoreError) in try session.update(user, profile) }
    }

    public func friends(of user: UserID) async throws(StoreError) -> Set<UserID> {
        try await read { connection throws(StoreError) in try connection.friends(of: user) }
    }

    public func befriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        try await write { session throws(StoreError) in try session.befriend(a, b) }
    }

    public func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        try await write { session throws(StoreError) in try session.unfriend(a, b) }
    }

    public func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError) {
        try await write { session throws(StoreError) in try session.recordLastSeen(seen) }
    }

    public func knownUsers(
        after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        try await read { connection throws(StoreError) in try connection.knownUsers(after: cursor, limit: limit) }
    }
}

// MARK: - Outbox

extension SQLiteStore {
    public func pendingEvents(
        of owner: InstanceID, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [Message] {
        try await read { [unmoved] connection throws(StoreError) in
            try connection.pendingEvents(of: owner, limit: limit, except: except, unmoved: unmoved)
        }
    }

    public func clearEvents(_ ids: [MessageID]) async throws(StoreError) {
        try await write { session throws(StoreError) in try session.clearEvents(ids) }
    }

    public func adoptEvents(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int {
        try await write { session throws(StoreError) in try session.adoptEvents(of: dead, by: owner) }
    }

    public func eventOwners() async throws(StoreError) -> [InstanceID] {
        try await read { connection throws(StoreError) in try connection.eventOwners() }
    }

    public func backlog() async throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        try await read { [unmoved] connection throws(StoreError) in try connection.backlog(unmoved: unmoved) }
    }
}
