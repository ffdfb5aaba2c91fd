/// Keeps the files of rooms. Kept by a directory and by MongoDB's GridFS; one contract suite runs over both.
///
/// Duties of every implementation:
/// - **A file is there as a whole or not at all**: it appears when its writer finishes. What a writer that was abandoned, or whose
///   process died, has written goes: at once, or by `removeAbandoned`.
/// - No call holds more of a file in memory than one part.
/// - Nothing here blocks the caller's thread.
public protocol FileStore: Sendable {
    /// Begins a file. Nothing is found under the id until the writer finishes.
    func create(_ id: FileID) async throws(StoreError) -> any FileWriter

    /// The file; nil where there is none.
    func file(_ id: FileID) async throws(StoreError) -> StoredFile?

    /// Bytes of a file's content from `offset` on: at least one and at most `limit`. The part may be shorter than what is there.
    ///
    /// - Throws: `.rejected` when the file is gone, or `offset` is not within its content.
    func read(_ id: FileID, from offset: Int64, limit: Int) async throws(StoreError) -> [UInt8]

    /// Notes whether messages refer to a file.
    ///
    /// - Returns: whether that changed it; false also where the file is gone.
    func setReferenced(_ id: FileID, _ isReferenced: Bool) async throws(StoreError) -> Bool

    /// Stores a note that a file is to go, in place of an earlier one about this file. On return it is durable.
    func note(_ removal: FileRemoval) async throws(StoreError)

    /// Removes the note about a file. Idempotent.
    func forgetRemoval(of id: FileID) async throws(StoreError)

    /// Notes from before `time`, at most `limit` of them.
    func removals(notedBefore time: Timestamp, limit: Int) async throws(StoreError) -> [FileRemoval]

    /// Removes files and the notes about them. Ids of files that are not there are passed over.
    func remove(_ ids: [FileID]) async throws(StoreError)

    /// The files that match, ordered by id, those behind `cursor`.
    func files(_ selection: FileSelection, after cursor: FileID?, limit: Int) async throws(StoreError) -> [StoredFile]

    /// Removes what writers left behind that wrote nothing since `time`; how many files that were never complete.
    func removeAbandoned(since time: Timestamp) async throws(StoreError) -> Int

    /// 32 random bytes that all instances share, made when they are first asked for: the key of signed addresses.
    func signingKey() async throws(StoreError) -> [UInt8]

    /// Whether the store takes and gives files now.
    func probe() async throws(StoreError)

    /// Ends the store. No call may follow.
    func close() async
}

/// Which files a list holds.
public enum FileSelection: Hashable, Sendable {
    case room(RoomID)
    case owner(UserID)
    /// Files without a message that were uploaded before this time.
    case unreferenced(before: Timestamp)
}

/// Writes one file. Its calls follow each other: the next comes when the one before has returned.
public protocol FileWriter: Sendable {
    func append(_ part: [UInt8]) async throws(StoreError)
    /// Makes the file complete: on return it is durable and found. Nothing of it stays when this throws `.rejected`.
    func finish(_ file: StoredFile) async throws(StoreError)
    /// Removes what was written. Called instead of `finish`, or after a call that threw.
    func abandon() async
}
