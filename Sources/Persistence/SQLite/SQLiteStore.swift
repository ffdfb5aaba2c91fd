public import ChatDomain
import Synchronization
import Workers

/// The embedded store: one SQLite file in the data directory, used by one process at a time.
///
/// One thread writes, with a group commit: all that waits becomes durable together. Two threads read, each on a
/// connection of its own, and never wait for the writer. An answered write is seen by every read after it.
///
/// This file holds the store's threads. The extensions implement the ports; they reach the database through `read` and `write`.
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
    /// Messages that readers do not find in their table yet.
    let unmoved = UnmovedMessages()
    private let helper = CheckpointHelper()
    private let health = WriterHealth()
    /// One process uses the file, so that its memory will do.
    private let unannounced = Atomic<Int64>(0)
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
        OlderFile(files: files).rewriteIfNeeded()
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
        Task { [weak self] in await self?.indexBacklog() }
    }

    deinit { closeQueues() }

    public func close() async {
        closeQueues()
        for thread in threads { await thread.finished() }
        lock.unlock()
    }

    public func noteUnannouncedChange() async throws(StoreError) { unannounced.add(1, ordering: .relaxed) }

    public func unannouncedChanges() async throws(StoreError) -> Int64 { unannounced.load(ordering: .relaxed) }

    public func probe() async throws(StoreError) {
        if health.isFailing {
            try await write { session throws(StoreError) in try session.touch() }
        } else {
            try await read { connection throws(StoreError) in
                _ = try connection.statement("SELECT 1 FROM settlements").first { _ in true }
            }
        }
    }

    public func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        let job = WriteJob.commit(writes, completion)
        if !self.writes.post(job) { job.fail(.refused) }
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
