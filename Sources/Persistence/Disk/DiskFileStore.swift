public import ChatDomain
import Synchronization
import Workers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Files in a directory. Instances may share the directory, over a network file system that renames atomically.
///
/// A few threads of its own make all calls on files.
public final class DiskFileStore: FileStore {
    typealias Job = @Sendable (FileDirectory) -> Void

    private static let threadCount = 4
    /// Past this many waiting jobs calls fail. An upload or download has one at a time.
    private static let maximumWaiting = 16_384

    private let queue = WorkQueue<Job>(capacity: maximumWaiting)
    private let threads: [WorkerThread]
    private let makeKey: @Sendable () -> [UInt8]

    /// - Parameters:
    ///   - directory: made when it is missing; the directory that it lies in has to be there.
    ///   - makeKey: makes 32 random bytes.
    /// - Throws: `.unavailable` when the directory cannot be made.
    public init(directory: String, makeKey: @escaping @Sendable () -> [UInt8]) throws(StoreError) {
        let place = try FileDirectory(path: directory)
        var threads: [WorkerThread] = []
        for _ in 0..<Self.threadCount {
            threads.append(
                try WorkerThread.start(name: "files", orThrow: StoreError.unavailable) { [queue] in
                    while let job = queue.next() { job(place) }
                })
        }
        self.threads = threads
        self.makeKey = makeKey
    }

    deinit { queue.close() }

    public func close() async {
        queue.close()
        for thread in threads { await thread.finished() }
    }

    private func run<Value: Sendable>(
        _ body: @escaping @Sendable (FileDirectory) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await queue.run(orThrow: .refused, body)
    }

    public func create(_ id: FileID) async throws(StoreError) -> any FileWriter {
        let descriptor = try await run { place throws(StoreError) in try place.begin(id) }
        return DiskFileWriter(id: id, descriptor: descriptor, queue: queue)
    }

    public func file(_ id: FileID) async throws(StoreError) -> StoredFile? {
        try await run { place throws(StoreError) in try place.file(id) }
    }

    public func read(_ id: FileID, from offset: Int64, limit: Int) async throws(StoreError) -> [UInt8] {
        try await run { place throws(StoreError) in try place.read(id, from: offset, limit: limit) }
    }

    public func setReferenced(_ id: FileID, _ isReferenced: Bool) async throws(StoreError) -> Bool {
        try await run { place throws(StoreError) in try place.setReferenced(id, isReferenced) }
    }

    public func remove(_ ids: [FileID]) async throws(StoreError) {
        try await run { place throws(StoreError) in
            for id in ids {
                try place.remove(id)
                try place.forgetRemoval(of: id)
            }
        }
    }

    public func note(_ removal: FileRemoval) async throws(StoreError) {
        try await run { place throws(StoreError) in try place.note(removal) }
    }

    public func forgetRemoval(of id: FileID) async throws(StoreError) {
        try await run { place throws(StoreError) in try place.forgetRemoval(of: id) }
    }

    public func removals(notedBefore time: Timestamp, limit: Int) async throws(StoreError) -> [FileRemoval] {
        try await run { place throws(StoreError) in try place.removals(notedBefore: time, limit: limit) }
    }

    public func files(
        _ selection: FileSelection, after cursor: FileID?, limit: Int
    ) async throws(StoreError) -> [StoredFile] {
        try await run { place throws(StoreError) in try place.files(selection, after: cursor, limit: limit) }
    }

    public func removeAbandoned(since time: Timestamp) async throws(StoreError) -> Int {
        try await run { place throws(StoreError) in try place.removeAbandoned(since: time) }
    }

    public func signingKey() async throws(StoreError) -> [UInt8] {
        try await run { [makeKey] place throws(StoreError) in try place.signingKey(orElse: makeKey) }
    }

    public func probe() async throws(StoreError) {
        _ = try await signingKey()
    }
}

/// Writes a file in `incoming`. A writer that is dropped leaves nothing open.
final class DiskFileWriter: FileWriter {
    private struct State {
        var descriptor: CInt?
        var size: Int64 = 0
        var unflushed = 0
    }

    /// Bytes after which what was written is flushed: a flush of another file, such as a commit's, would otherwise wait for all
    /// that the file system has to write.
    private static let flushBytes = 4 << 20

    private let id: FileID
    private let queue: WorkQueue<DiskFileStore.Job>
    private let state: Mutex<State>

    init(id: FileID, descriptor: CInt, queue: WorkQueue<DiskFileStore.Job>) {
        self.id = id
        self.queue = queue
        state = Mutex(State(descriptor: descriptor))
    }

    deinit { if let descriptor = takeDescriptor() { close(descriptor) } }

    func append(_ part: [UInt8]) async throws(StoreError) {
        try await queue.run(orThrow: .refused) { [self] (_: FileDirectory) throws(StoreError) in
            let (descriptor, size) = state.withLock { ($0.descriptor, $0.size) }
            guard let descriptor else { throw .rejected(reason: "the file is closed") }
            try FileDirectory.write(part, to: descriptor, at: Int64(FileHeader.byteCount) + size)
            let mustFlush = state.withLock { state in
                state.size += Int64(part.count)
                state.unflushed += part.count
                guard state.unflushed >= Self.flushBytes else { return false }
                state.unflushed = 0
                return true
            }
            if mustFlush { try FileDirectory.flush(descriptor) }
        }
    }

    func finish(_ file: StoredFile) async throws(StoreError) {
        try await queue.run(orThrow: .refused) { [self] (place: FileDirectory) throws(StoreError) in
            guard let descriptor = takeDescriptor() else { throw .rejected(reason: "the file is closed") }
            defer { close(descriptor) }
            do throws(StoreError) {
                try place.complete(descriptor, file)
            } catch {
                unlink(place.incoming(id))
                throw error
            }
        }
    }

    func abandon() async {
        let removed: Void? = try? await queue.run(orThrow: StoreError.refused) {
            [self] (place: FileDirectory) throws(StoreError) in
            if let descriptor = takeDescriptor() { close(descriptor) }
            unlink(place.incoming(id))
        }
        // Where the store is closed, the file goes by `removeAbandoned`.
        if removed == nil, let descriptor = takeDescriptor() { close(descriptor) }
    }

    private func takeDescriptor() -> CInt? {
        state.withLock { state in
            defer { state.descriptor = nil }
            return state.descriptor
        }
    }
}
