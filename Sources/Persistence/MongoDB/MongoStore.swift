public import ChatDomain

/// The durable truth of a fleet: a MongoDB deployment, shared by any number of instances.
///
/// The unique index on (room, number) decides between instances; no counter exists that could run ahead of the messages.
public final class MongoStore: DurableStore {
    private let workers: MongoWorkers
    private let committer: MongoCommitter
    private let lastMessages: WriteBehind<RoomID, Message>
    private let authorsMarks: WriteBehind<MongoConnection.MarkPlace, SequenceNumber>

    /// Connects and makes the indexes that are missing.
    ///
    /// - Parameters:
    ///   - uri: a MongoDB connection string. Where it is silent: database `chat`, writes wait for the majority and time
    ///     out after 10 s, and a primary has to be found within 3 s.
    ///   - workers: how many commands may wait for the server at once.
    /// - Throws: `.rejected` for a connection string or data that cannot be used, `.unavailable` when no primary is found.
    public static func open(
        uri: String, options: StoreOptions, workers count: Int = 8
    ) async throws(StoreError) -> MongoStore {
        let store = try MongoStore(uri: uri, options: options, workers: count)
        do throws(StoreError) {
            try await store.workers.run { connection throws(MongoError) in
                try MongoSchema.createIndexes(connection)
                connection.holdsUnnumbered = try connection.findsUnnumbered()
                if connection.holdsUnnumbered { try MongoSchema.createIndexForUnnumbered(connection) }
            }
        } catch {
            await store.close()
            throw error
        }
        return store
    }

    /// Whether the driver can make sense of a connection string. Nothing is connected to.
    public static func canRead(uri: String) -> Bool { MongoPool.canRead(uri) }

    private init(uri: String, options: StoreOptions, workers count: Int) throws(StoreError) {
        workers = try MongoWorkers(pool: MongoPool(uri: uri, size: count), count: count)
        lastMessages = .lastMessages(workers)
        authorsMarks = .authorsMarks(workers)
        committer = MongoCommitter(
            workers: workers, options: options, lastMessages: lastMessages, authorsMarks: authorsMarks)
    }

    deinit { workers.close() }

    public func probe() async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in _ = try connection.read(["ping": 1]) }
    }

    public func close() async {
        _ = try? await workers.run { [lastMessages, authorsMarks] connection throws(MongoError) in
            lastMessages.flush(on: connection)
            authorsMarks.flush(on: connection)
        }
        workers.close()
        await workers.finished()
    }

    /// Writes numbers into messages that an older program left without, from the oldest on. The service may run
    /// meanwhile; stopped half-way, it goes on where it was.
    ///
    /// - Parameter progress: called with the number of messages numbered so far, now and then.
    /// - Returns: how many messages got a number.
    public func migrate(progress: @escaping @Sendable (Int) -> Void = { _ in }) async throws(StoreError) -> Int {
        try await workers.run { connection throws(MongoError) in try connection.numberAll(progress) }
    }
}

// MARK: - Messages

extension MongoStore {
    public func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        committer.commit(writes, completion: completion)
    }

    public func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        try await workers.run { connection throws(MongoError) in try connection.history(of: room, query) }
    }

    public func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await workers.run { connection throws(MongoError) in
            try connection.newest(of: rooms).mapValues(\.sequence)
        }
    }
}

// MARK: - Rooms

extension MongoStore {
    public func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot? {
        try await workers.run { connection throws(MongoError) in try connection.room(id) }
    }

    public func people(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: RoomPeople] {
        try await workers.run { connection throws(MongoError) in try connection.people(of: rooms) }
    }

    public func create(
        _ room: Room, participants: [UserID]
    ) async throws(StoreError) -> (snapshot: RoomSnapshot, created: Bool) {
        try await workers.run { connection throws(MongoError) in
            try connection.create(room, participants: participants)
        }
    }

    public func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool {
        try await workers.run { connection throws(MongoError) in try connection.revise(id, revision, at: time) }
    }

    public func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool {
        try await workers.run { connection throws(MongoError) in try connection.delete(id, at: time) }
    }

    public func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool {
        try await workers.run { connection throws(MongoError) in try connection.add(user, to: id, limit: limit) }
    }

    public func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool {
        try await workers.run { connection throws(MongoError) in try connection.remove(user, from: id) }
    }

    public func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary] {
        try await workers.run { connection throws(MongoError) in
            try connection.rooms(of: user, after: cursor, limit: limit)
        }
    }

    public func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber {
        try await workers.run { connection throws(MongoError) in
            try connection.readMarks(of: user, in: [room])[room] ?? 0
        }
    }

    public func readMarks(
        in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [ReadMark] {
        try await workers.run { connection throws(MongoError) in
            guard limit > 0, try connection.documents(of: room).room != nil else { return [] }
            return try connection.readMarks(in: room, after: cursor, limit: limit)
        }
    }
}

// MARK: - People

extension MongoStore {
    public func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile] {
        try await workers.run { connection throws(MongoError) in try connection.profiles(of: users) }
    }

    public func update(_ user: UserID, _ profile: Profile) async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in try connection.update(user, profile) }
    }

    public func friends(of user: UserID) async throws(StoreError) -> Set<UserID> {
        try await workers.run { connection throws(MongoError) in try connection.friends(of: user) }
    }

    public func befriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in try connection.befriend(a, b) }
    }

    public func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in try connection.unfriend(a, b) }
    }

    public func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError) {
        guard !seen.isEmpty else { return }
        try await workers.run { connection throws(MongoError) in try connection.recordLastSeen(seen) }
    }

    public func knownUsers(
        after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        try await workers.run { connection throws(MongoError) in
            try connection.knownUsers(after: cursor, limit: limit)
        }
    }
}

// MARK: - Outbox

extension MongoStore {
    public func pendingEvents(
        of owner: InstanceID, limit: Int, except: Set<MessageID>
    ) async throws(StoreError) -> [Message] {
        try await workers.run { connection throws(MongoError) in
            try connection.pendingEvents(of: owner, limit: limit, except: except)
        }
    }

    public func clearEvents(_ ids: [MessageID]) async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in try connection.clearEvents(ids) }
    }

    public func adoptEvents(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int {
        try await workers.run { connection throws(MongoError) in try connection.adoptEvents(of: dead, by: owner) }
    }

    public func eventOwners() async throws(StoreError) -> [InstanceID] {
        try await workers.run { connection throws(MongoError) in try connection.eventOwners() }
    }

    public func backlog() async throws(StoreError) -> (count: Int, oldest: Timestamp?) {
        try await workers.run { connection throws(MongoError) in try connection.backlog() }
    }
}
