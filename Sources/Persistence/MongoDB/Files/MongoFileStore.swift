public import ChatDomain

/// Files in a MongoDB deployment, as GridFS lays them out. It has threads and connections of its own, so that no message waits
/// for a file.
public final class MongoFileStore: FileStore {
    private static let workerCount = 4
    private static let sliceSize = 200

    private let workers: MongoWorkers
    private let now: @Sendable () -> Timestamp
    private let makeKey: @Sendable () -> [UInt8]

    /// Connects and creates the indexes that are missing.
    ///
    /// - Parameters:
    ///   - uri: a MongoDB connection string; see `MongoStore.open`.
    ///   - now: the wall clock.
    ///   - makeKey: makes 32 random bytes.
    /// - Throws: `.rejected` for a connection string or data that cannot be used, `.unavailable` when no primary is found.
    public static func open(
        uri: String, options: StoreOptions, now: @escaping @Sendable () -> Timestamp,
        makeKey: @escaping @Sendable () -> [UInt8]
    ) async throws(StoreError) -> MongoFileStore {
        let workers = try MongoWorkers(
            pool: MongoPool(uri: uri, size: workerCount), count: workerCount, retryTimeout: options.retryTimeout)
        let store = MongoFileStore(workers: workers, now: now, makeKey: makeKey)
        do throws(StoreError) {
            try await workers.runOnce { connection throws(MongoError) in try MongoSchema.createFileIndexes(connection) }
        } catch {
            await store.close()
            throw error
        }
        return store
    }

    private init(
        workers: MongoWorkers, now: @escaping @Sendable () -> Timestamp, makeKey: @escaping @Sendable () -> [UInt8]
    ) {
        self.workers = workers
        self.now = now
        self.makeKey = makeKey
    }

    deinit { workers.close() }

    public func close() async {
        workers.close()
        await workers.finished()
    }

    public func probe() async throws(StoreError) {
        try await workers.runOnce { connection throws(MongoError) in _ = try connection.read(["ping": 1]) }
    }

    public func create(_ id: FileID) async throws(StoreError) -> any FileWriter {
        let writer = MongoFileWriter(id: id, workers: workers, now: now)
        try await writer.begin()
        return writer
    }

    public func file(_ id: FileID) async throws(StoreError) -> StoredFile? {
        try await workers.run { connection throws(MongoError) in try connection.file(id) }
    }

    public func read(_ id: FileID, from offset: Int64, limit: Int) async throws(StoreError) -> [UInt8] {
        guard offset >= 0, limit > 0 else { throw .rejected(reason: "no such part of the file") }
        let (number, start) = offset.quotientAndRemainder(dividingBy: Int64(GridFS.chunkBytes))
        let chunk = try await workers.run { connection throws(MongoError) in try connection.chunk(id, number: number) }
        let bytes = (chunk ?? []).dropFirst(Int(start)).prefix(limit)
        guard !bytes.isEmpty else { throw .rejected(reason: "no such part of the file") }
        return Array(bytes)
    }

    public func setReferenced(_ id: FileID, _ isReferenced: Bool) async throws(StoreError) -> Bool {
        try await workers.run { connection throws(MongoError) in try connection.setReferenced(id, isReferenced) }
    }

    public func remove(_ ids: [FileID]) async throws(StoreError) {
        for id in ids {
            try await workers.run { connection throws(MongoError) in
                try connection.removeFile(id)
                try connection.forgetRemoval(of: id)
            }
        }
    }

    public func note(_ removal: FileRemoval) async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in try connection.note(removal) }
    }

    public func forgetRemoval(of id: FileID) async throws(StoreError) {
        try await workers.run { connection throws(MongoError) in try connection.forgetRemoval(of: id) }
    }

    public func removals(notedBefore time: Timestamp, limit: Int) async throws(StoreError) -> [FileRemoval] {
        guard limit > 0 else { return [] }
        return try await workers.run { connection throws(MongoError) in
            try connection.removals(notedBefore: time, limit: limit)
        }
    }

    public func files(
        _ selection: FileSelection, after cursor: FileID?, limit: Int
    ) async throws(StoreError) -> [StoredFile] {
        guard limit > 0 else { return [] }
        let found = try await workers.run { connection throws(MongoError) in
            try connection.files(selection, after: cursor, limit: limit)
        }
        return found.compactMap(GridFS.file)
    }

    public func removeAbandoned(since time: Timestamp) async throws(StoreError) -> Int {
        try await workers.run { connection throws(MongoError) in
            try connection.removeUnfinished(since: time, limit: Self.sliceSize)
        }
    }

    public func signingKey() async throws(StoreError) -> [UInt8] {
        let draft = makeKey().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let text = try await workers.run { connection throws(MongoError) in try connection.fileKey(orElse: draft) }
        guard let text, text.utf8.count == 64 else { throw .rejected(reason: "the key of files is no key") }
        return Array(text.utf8)
    }
}

/// Writes the chunks of one file, and then its description.
private actor MongoFileWriter: FileWriter {
    /// How often a file that is being written shows that it is.
    private static let touchInterval: Duration = .seconds(60)

    private let id: FileID
    private let workers: MongoWorkers
    private let now: @Sendable () -> Timestamp
    /// Content that makes no whole chunk yet.
    private var rest: [UInt8] = []
    private var chunks = 0
    private var touched = ContinuousClock.now

    init(id: FileID, workers: MongoWorkers, now: @escaping @Sendable () -> Timestamp) {
        self.id = id
        self.workers = workers
        self.now = now
    }

    func begin() async throws(StoreError) {
        let (id, now) = (id, now())
        try await workers.run { connection throws(MongoError) in try connection.touchUnfinished(id, at: now) }
        touched = .now
    }

    func append(_ part: [UInt8]) async throws(StoreError) {
        rest += part
        while rest.count >= GridFS.chunkBytes {
            let chunk = Array(rest.prefix(GridFS.chunkBytes))
            rest.removeFirst(GridFS.chunkBytes)
            try await write(chunk)
        }
        if .now - touched > Self.touchInterval { try await begin() }
    }

    private func write(_ chunk: [UInt8]) async throws(StoreError) {
        let (id, number) = (id, chunks)
        chunks += 1
        try await workers.run { connection throws(MongoError) in try connection.writeChunk(id, number: number, chunk) }
    }

    func finish(_ file: StoredFile) async throws(StoreError) {
        if !rest.isEmpty { try await write(rest) }
        rest = []
        try await workers.run { connection throws(MongoError) in
            try connection.writeFile(file)
            try connection.forgetUnfinished(file.id)
        }
    }

    func abandon() async {
        rest = []
        // Where this fails the chunks go by `removeAbandoned`.
        try? await workers.run { [id] connection throws(MongoError) in try connection.removeFile(id) }
    }
}
