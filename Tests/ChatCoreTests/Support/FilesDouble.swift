import ChatDomain
import Synchronization

/// A file store in memory that fails when a test says so. It keeps what is known of files, and no content.
final class FilesDouble: FileStore {
    private struct State {
        var files: [FileID: StoredFile] = [:]
        var removals: [FileID: FileRemoval] = [:]
        var isFailing = false
        var abandoned = 0
    }

    private let state = Mutex(State())

    func put(_ file: StoredFile) { state.withLock { $0.files[file.id] = file } }
    func setFailing(_ isFailing: Bool) { state.withLock { $0.isFailing = isFailing } }
    /// What `removeAbandoned` has to remove.
    func leave(_ count: Int) { state.withLock { $0.abandoned = count } }
    var ids: Set<FileID> { state.withLock { Set($0.files.keys) } }
    var abandoned: Int { state.withLock { $0.abandoned } }

    private func run<R: Sendable>(_ body: (inout State) -> R) throws(StoreError) -> R {
        let result: R? = state.withLock { $0.isFailing ? nil : body(&$0) }
        guard let result else { throw .unavailable(reason: "the test says so") }
        return result
    }

    func create(_ id: FileID) async throws(StoreError) -> any FileWriter {
        throw .rejected(reason: "it keeps no content")
    }
    func file(_ id: FileID) async throws(StoreError) -> StoredFile? { try run { $0.files[id] } }
    func read(_ id: FileID, from offset: Int64, limit: Int) async throws(StoreError) -> [UInt8] { [] }
    func setReferenced(_ id: FileID, _ isReferenced: Bool) async throws(StoreError) -> Bool {
        try run { state in
            guard let file = state.files[id], file.isReferenced != isReferenced else { return false }
            state.files[id]?.isReferenced = isReferenced
            return true
        }
    }
    func remove(_ ids: [FileID]) async throws(StoreError) {
        try run { state in for id in ids { (state.files[id], state.removals[id]) = (nil, nil) } }
    }
    func note(_ removal: FileRemoval) async throws(StoreError) { try run { $0.removals[removal.file] = removal } }
    func forgetRemoval(of id: FileID) async throws(StoreError) { try run { $0.removals[id] = nil } }
    func removals(notedBefore time: Timestamp, limit: Int) async throws(StoreError) -> [FileRemoval] {
        try run { state in Array(state.removals.values.filter { $0.notedAt < time }.prefix(limit)) }
    }
    func files(_ selection: FileSelection, after cursor: FileID?, limit: Int) async throws(StoreError) -> [StoredFile] {
        try run { state in
            let found = state.files.values.filter { file in
                switch selection {
                case .room(let room): file.roomID == room
                case .owner(let owner): file.owner == owner
                case .unreferenced(let time): !file.isReferenced && file.uploadedAt < time
                }
            }
            let sorted = found.sorted { $0.id < $1.id }
            return Array(sorted.drop { file in cursor.map { file.id <= $0 } ?? false }.prefix(limit))
        }
    }
    func removeAbandoned(since time: Timestamp) async throws(StoreError) -> Int {
        try run { state in
            defer { state.abandoned = 0 }
            return state.abandoned
        }
    }
    func signingKey() async throws(StoreError) -> [UInt8] { try run { _ in [1, 2, 3] } }
    func probe() async throws(StoreError) { try run { _ in } }
    func close() async {}
}
