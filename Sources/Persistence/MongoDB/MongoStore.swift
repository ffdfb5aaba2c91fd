public import ChatDomain

/// The store of a fleet: a MongoDB deployment that any number of instances share.
///
/// The unique index on (room, number) decides between instances. There is no counter that could run ahead of the messages.
///
/// This file holds the store's state. The extensions implement the ports; they reach the database through `run` alone.
public final class MongoStore: DurableStore {
    public var isShared: Bool { true }

    /// The note that counts changes which were not announced.
    private static let unannounced: BSONValue = "unannouncedChanges"

    private let workers: MongoWorkers
    /// Probes have a thread of their own, so that a store that is merely busy is not taken for one that is away.
    private let prober: MongoWorkers
    private let committer: MongoCommitter
    private let lastMessages: WriteBehind<RoomID, Message>
    private let authorsMarks: WriteBehind<MongoConnection.MarkPlace, SequenceNumber>
    let eventRooms = EventRooms()

    /// Connects and creates the indexes that are missing.
    ///
    /// - Parameters:
    ///   - uri: a MongoDB connection string. Defaults of what it leaves out: database `chat`, writes wait for the majority and
    ///     time out after 10 s, and a primary has to be found within 3 s.
    ///   - workers: the number of threads, each of which may wait for one command.
    /// - Throws: `.rejected` for a connection string or data that cannot be used, `.unavailable` when no primary is found.
    public static func open(
        uri: String, options: StoreOptions, workers count: Int = 8
    ) async throws(StoreError) -> MongoStore {
        let store = try MongoStore(uri: uri, options: options, workers: count)
        do throws(StoreError) {
            try await store.workers.runOnce { connection throws(MongoError) in
                try MongoSchema.createIndexes(connection)
                connection.holdsUnnumbered = try connection.findsUnnumbered()
                if connection.holdsUnnumbered { try MongoSchema.createIndexForUnnumbered(connection) }
            }
        } catch {
            await store.close()
            throw error
        }
        Task { [weak store] in await store?.indexBacklog() }
        return store
    }

    /// Whether the driver can read a connection string. Does not connect.
    public static func canRead(uri: String) -> Bool { MongoPool.canRead(uri) }

    private init(uri: String, options: StoreOptions, workers count: Int) throws(StoreError) {
        let pool = try MongoPool(uri: uri, size: count + 1)
        workers = try MongoWorkers(pool: pool, count: count, retryTimeout: options.retryTimeout)
        prober = try MongoWorkers(pool: pool, count: 1, retryTimeout: options.retryTimeout)
        lastMessages = .lastMessages(workers)
        authorsMarks = .authorsMarks(workers)
        committer = MongoCommitter(
            workers: workers, options: options, lastMessages: lastMessages, authorsMarks: authorsMarks)
    }

    deinit {
        workers.close()
        prober.close()
    }

    /// Runs a call of a port on a worker thread, and again while no primary is found. `body` has to have the same result then.
    ///
    /// - Throws: the error of the store that corresponds to what `body` throws.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (MongoConnection) throws(MongoError) -> Value
    ) async throws(StoreError) -> Value {
        try await workers.run(body)
    }

    public func probe() async throws(StoreError) {
        try await prober.runOnce { connection throws(MongoError) in _ = try connection.read(["ping": 1]) }
    }

    public func noteUnannouncedChange() async throws(StoreError) {
        try await run { connection throws(MongoError) in
            try connection.upsert(
                MongoSchema.notes,
                [["q": ["_id": Self.unannounced], "u": ["$inc": ["count": .int64(1)]], "upsert": true]])
        }
    }

    public func unannouncedChanges() async throws(StoreError) -> Int64 {
        try await run { connection throws(MongoError) in
            try connection.find(MongoSchema.notes, ["_id": Self.unannounced], ["limit": 1]).first?["count"]?.integer
                ?? 0
        }
    }

    public func close() async {
        let deadline = ContinuousClock.now + workers.retryTimeout
        repeat {
            _ = try? await workers.runOnce { [lastMessages, authorsMarks] connection throws(MongoError) in
                lastMessages.flush(on: connection)
                authorsMarks.flush(on: connection)
            }
            guard !(lastMessages.isEmpty && authorsMarks.isEmpty) else { break }
            // The server is away, or another thread writes some of them.
            await workers.waitForPrimary(until: deadline)
        } while .now < deadline
        for each in [workers, prober] {
            each.close()
            await each.finished()
        }
    }

    public func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        committer.commit(writes, completion: completion)
    }
}
