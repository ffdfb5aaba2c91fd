/// Erasure and export of users and rooms, and retention. Kept by SQLite and by MongoDB; one contract suite runs over both.
///
/// Duties of every implementation:
/// - Every call may be repeated, also after an attempt whose outcome is unknown, and by two instances at a time.
/// - A call does a bounded amount of work, so that commits do not wait for it.
/// - **Erased is gone**: after `purgeErased`, the data of the database holds neither the erased texts nor the erased user's id and
///   names. Numbers stay: an erased message is a stone with its id, number and time, and a room's numbering goes on.
/// - Events of erased messages that are pending are not published any more.
public protocol PrivacyStore: Sendable {
    // MARK: Jobs

    /// Stores a job, unless its subject has one already.
    ///
    /// - Returns: the job of the subject.
    func addErasure(_ job: ErasureJob) async throws(StoreError) -> ErasureJob

    /// The job of a subject with this key; nil where nothing is under way.
    func erasure(_ key: String) async throws(StoreError) -> ErasureJob?

    /// The oldest job without a lease, with one that has ended, or with one of this owner, under a new lease of this owner.
    func claimErasure(
        by owner: InstanceID, at now: Timestamp, until end: Timestamp
    ) async throws(StoreError) -> ErasureJob?

    /// Stores how far a job got, and extends the lease. False when the job is not the owner's any more.
    func save(_ job: ErasureJob, by owner: InstanceID, until end: Timestamp) async throws(StoreError) -> Bool

    /// Removes a job. Idempotent.
    func removeErasure(_ id: MessageID) async throws(StoreError)

    // MARK: Erasing

    /// Erases what is kept of the user beside rooms and messages, and the user's participation, read marks and ownership.
    ///
    /// - Returns: rooms that the user took part in or owned, as they are no longer as instances know them. No place follows.
    func eraseRecords(of user: ErasedUser) async throws(StoreError) -> ErasureSlice

    /// Direct rooms of the user, deleted ones too, ordered by id (as bytes), behind `cursor`.
    func directRooms(of user: UserID, after cursor: RoomID?, limit: Int) async throws(StoreError) -> [RoomID]

    /// Moves a direct room to the id that `ErasedUser.neutralRoom` gives it, in one or several parts. Instances have forgotten the
    /// room by then.
    ///
    /// - Returns: `next` is not nil while a part is left.
    func moveDirectRoom(_ room: RoomID, of user: ErasedUser) async throws(StoreError) -> ErasureSlice

    /// Erases or anonymizes the user's messages, and takes the user out of others' mentions and reactions.
    func eraseMessages(of user: ErasedUser, after cursor: String?) async throws(StoreError) -> ErasureSlice

    /// Removes the messages of a deleted room, and what is known of it but its id and its last number.
    func eraseMessages(of room: RoomID, after cursor: String?) async throws(StoreError) -> ErasureSlice

    /// Erases messages that are older than their rooms keep them. Within a room it goes by number, up to the first message that is
    /// young enough.
    func eraseExpiredMessages(
        _ rule: RetentionRule, at now: Timestamp, after cursor: String?
    ) async throws(StoreError) -> ErasureSlice

    /// Takes what was erased out of the database's free space and log, as far as the database does not do that by itself.
    func purgeErased() async throws(StoreError)

    // MARK: Exporting

    /// Rooms that the user takes part in or owns, ordered by id (as bytes), behind `cursor`.
    func rooms(knowing user: UserID, after cursor: RoomID?, limit: Int) async throws(StoreError) -> [RoomID]

    /// What live rooms have on record about the user, ordered by room (as bytes), in rooms behind `cursor`. A room's entries are
    /// neighbours.
    func standings(of user: UserID, after cursor: RoomID?, limit: Int) async throws(StoreError) -> [UserStanding]

    /// Reports that the user gave, ordered by message, behind `cursor`.
    func flags(by user: UserID, after cursor: MessageID?, limit: Int) async throws(StoreError) -> [UserFlag]

    /// The changes that the user made: edits, deletions, reactions, pins. A page may be empty and another follow.
    func changes(by user: UserID, after cursor: String?) async throws(StoreError) -> ExportedChanges

    /// The user's messages. A page may be empty and another follow.
    func messages(of user: UserID, after cursor: String?) async throws(StoreError) -> ExportedMessages
}

/// What a room has on record about a user.
public struct UserStanding: Hashable, Sendable {
    public var roomID: RoomID
    public var standing: RoomStanding

    public init(roomID: RoomID, standing: RoomStanding) {
        self.roomID = roomID
        self.standing = standing
    }
}

/// A user's report of a message of a room.
public struct UserFlag: Hashable, Sendable {
    public var roomID: RoomID
    public var flag: MessageFlag

    public init(roomID: RoomID, flag: MessageFlag) {
        self.roomID = roomID
        self.flag = flag
    }
}

/// A page of a user's changes of messages.
public struct ExportedChanges: Sendable {
    public var changes: [MessageChange]
    /// Where the next page begins; nil at the end.
    public var next: String?

    public init(changes: [MessageChange], next: String?) {
        self.changes = changes
        self.next = next
    }
}

/// A page of a user's messages.
public struct ExportedMessages: Sendable {
    public var messages: [Message]
    /// Where the next page begins; nil at the end.
    public var next: String?

    public init(messages: [Message], next: String?) {
        self.messages = messages
        self.next = next
    }
}
