import ChatDomain
import Synchronization
import Telemetry

/// The files of rooms: how many a user may upload, which file a message may refer to, and when a file goes.
package final class RoomFiles: Sendable {
    /// A message's reference to a file.
    package struct Reference: Hashable, Sendable {
        package let id: FileID
        /// Whether no message referred to the file before.
        let isFirst: Bool
    }

    /// How long a file may be without a message.
    package static let unreferencedLifetime: Duration = .seconds(3600)
    /// Between the end of a file's time and its removal, so that no clock of another instance is early.
    private static let removalMargin: Duration = .seconds(300)
    private static let sweepInterval: Duration = .seconds(300)
    /// Files removed in one step.
    private static let sliceSize = 200
    /// Files whose removal waits for the store at most; the rest goes when its room or user is erased.
    private static let maximumPending = 100_000
    /// Users with uploads that are remembered at most.
    private static let maximumUsers = 65_536

    private struct State {
        var quotas: [UserID: UploadQuota] = [:]
        /// Files to be removed, which the store could not remove yet.
        var pending: Set<FileID> = []
        var key: [UInt8]?
    }

    package let store: any FileStore
    /// Bytes of a file at most.
    package let maximumBytes: Int64
    package let metrics: FileMetrics
    private let clock: any ChatClock
    private let trouble: OccasionalLogger
    private let state = Mutex(State())

    init(
        store: any FileStore, maximumBytes: Int64, clock: any ChatClock, logger: Logger, metrics: FileMetrics
    ) {
        self.store = store
        self.maximumBytes = maximumBytes
        self.clock = clock
        self.metrics = metrics
        trouble = OccasionalLogger(logger)
    }

    // MARK: Uploads

    /// Counts an upload that begins; `endUpload` has to follow.
    ///
    /// - Throws: `rate_limited` when the user has too many under way or has begun too many.
    package func beginUpload(by user: UserID) throws(ChatError) {
        let now = clock.now.monotonic
        let wait = state.withLock { state -> Duration? in
            guard state.quotas[user] != nil || state.quotas.count < Self.maximumUsers else { return .seconds(60) }
            return state.quotas[user, default: UploadQuota(at: now)].begin(at: now)
        }
        if let wait { throw ChatError(.rateLimited, "too many uploads", retryAfter: wait) }
        metrics.underWay.add()
    }

    package func endUpload(by user: UserID) {
        state.withLock { $0.quotas[user]?.end() }
        metrics.underWay.subtract()
    }

    func sweepQuotas(at now: Moment) {
        state.withLock { state in state.quotas = state.quotas.filter { !$0.value.isSpare(at: now) } }
    }

    /// The key of signed addresses, the same on all instances.
    package func signingKey() async throws(ChatError) -> [UInt8] {
        if let key = state.withLock({ $0.key }) { return key }
        let key = try await call { (store) async throws(StoreError) in try await store.signingKey() }
        state.withLock { $0.key = key }
        return key
    }

    // MARK: References of messages

    /// Notes that a message refers to a file, before the message is stored: a file that is referred to is not removed.
    ///
    /// - Parameter text: the file's id, as the client gave it.
    /// - Throws: `bad_request` unless the user uploaded the file to this room, and it is there.
    package func refer(to text: String, in room: RoomID, by user: UserID) async throws(ChatError) -> Reference {
        guard let id = FileID(text) else { throw .noSuchFile }
        let file = try await call { (store) async throws(StoreError) in try await store.file(id) }
        guard let file, file.roomID == room, file.owner == user else { throw .noSuchFile }
        guard !file.isReferenced else { return Reference(id: id, isFirst: false) }
        guard !isExpired(file) else { throw .noSuchFile }
        let isFirst = try await call { (store) async throws(StoreError) in try await store.setReferenced(id, true) }
        return Reference(id: id, isFirst: isFirst)
    }

    /// The message of a reference was refused and is certainly not stored.
    package func withdraw(_ reference: Reference) async {
        guard reference.isFirst else { return }
        _ = try? await call { (store) async throws(StoreError) in try await store.setReferenced(reference.id, false) }
    }

    // MARK: Removal

    /// Notes that a file goes with its message, before the message is deleted or loses the file.
    package func noteRemoval(_ removal: FileRemoval) async throws(ChatError) {
        try await call { (store) async throws(StoreError) in try await store.note(removal) }
    }

    /// The change of a noted file's message was refused.
    package func forgetRemoval(of id: FileID) async {
        _ = try? await call { (store) async throws(StoreError) in try await store.forgetRemoval(of: id) }
    }

    /// Brings about removals that were noted by processes that ended before they removed the file.
    ///
    /// - Parameter isNeeded: whether the message still refers to the file; nil where that cannot be found out now.
    func finishRemovals(_ isNeeded: (FileRemoval) async -> Bool?) async {
        let time = clock.now.wall.earlier(by: Self.removalMargin)
        let noted = try? await call { (store) async throws(StoreError) in
            try await store.removals(notedBefore: time, limit: Self.sliceSize)
        }
        for removal in noted ?? [] {
            guard let isNeeded = await isNeeded(removal) else { continue }
            do throws(ChatError) {
                try await finish(removal, isNeeded: isNeeded)
            } catch {
                // The next sweep tries again.
                continue
            }
        }
    }

    private func finish(_ removal: FileRemoval, isNeeded: Bool) async throws(ChatError) {
        let file = try await call { (store) async throws(StoreError) in try await store.file(removal.file) }
        if !isNeeded, let file, file.roomID == removal.roomID, file.owner == removal.author {
            // The note goes with the file.
            await remove([file.id])
        } else {
            await forgetRemoval(of: removal.file)
        }
    }

    /// Removes files, because the messages that refer to them are deleted. What the store cannot remove now is tried again.
    package func remove(_ ids: [FileID]) async {
        guard !ids.isEmpty else { return }
        do throws(StoreError) {
            try await store.remove(ids)
            metrics.removed.add(ids.count)
        } catch {
            trouble.warning("files cannot be removed now", ["reason": error.reason])
            state.withLock { state in
                for id in ids where state.pending.count < Self.maximumPending { state.pending.insert(id) }
            }
        }
    }

    /// Removes the file of a message that is deleted. An edit may have named any file, so that the file has to be its author's.
    package func remove(_ id: FileID, of author: UserID, in room: RoomID) async {
        let file = try? await call { (store) async throws(StoreError) in try await store.file(id) }
        if let file, file.roomID == room, file.owner == author { await remove([id]) }
    }

    /// Removes all files of a room, or of a user; returns when they are gone.
    package func removeAll(_ selection: FileSelection) async throws(StoreError) {
        var cursor: FileID?
        repeat {
            let files = try await store.files(selection, after: cursor, limit: Self.sliceSize)
            try await store.remove(files.map(\.id))
            metrics.removed.add(files.count)
            cursor = files.last?.id
        } while cursor != nil
    }

    /// Begins to remove what is not needed any more, now and then.
    ///
    /// - Parameter isNeeded: see `finishRemovals`.
    func sweepPeriodically(_ isNeeded: @escaping @Sendable (FileRemoval) async -> Bool?) {
        Task {
            await finishRemovals(isNeeded)
            await sweep()
            clock.schedule(after: Self.sweepInterval) { [weak self] in self?.sweepPeriodically(isNeeded) }
        }
    }

    /// Removes files without a message whose time is over, what broken-off uploads left, and what could not be removed before.
    func sweep() async {
        let pending = state.withLock { state in
            defer { state.pending = [] }
            return Array(state.pending)
        }
        await remove(pending)
        let time = clock.now.wall.earlier(by: Self.unreferencedLifetime + Self.removalMargin)
        do throws(StoreError) {
            try await removeAll(.unreferenced(before: time))
            metrics.removed.add(try await store.removeAbandoned(since: time))
        } catch {
            trouble.warning("files cannot be removed now", ["reason": error.reason])
        }
    }

    private func isExpired(_ file: StoredFile) -> Bool {
        file.uploadedAt < clock.now.wall.earlier(by: Self.unreferencedLifetime)
    }

    /// - Throws: `storage_unavailable` where the store fails.
    package func call<R: Sendable>(
        _ body: (any FileStore) async throws(StoreError) -> R
    ) async throws(ChatError) -> R {
        do throws(StoreError) { return try await body(store) } catch {
            trouble.warning("the file store failed", ["reason": error.reason])
            throw .storageUnavailable
        }
    }
}

extension Timestamp {
    fileprivate func earlier(by span: Duration) -> Timestamp {
        Timestamp(milliseconds: milliseconds - span.wholeMilliseconds)
    }
}

extension ChatError {
    fileprivate static let noSuchFile = Self(.badRequest, "metadata.file.fileId names no file of yours in this room")
}
