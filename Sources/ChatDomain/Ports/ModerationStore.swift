/// The durable truth about who may do what: standings in rooms, blocks between users, bans from the deployment, flags of
/// messages. See `MessageStore` for the duties common to all store ports.
///
/// Lists are ordered by user (as bytes), and begin behind the cursor. Deleting a room deletes its standings and flags.
public protocol ModerationStore: Sendable {
    /// Records a standing, in place of the user's earlier one of this kind. A ban ends the user's participation and role too.
    /// Standings of the room that are over are removed.
    func set(_ standing: RoomStanding, in room: RoomID) async throws(StoreError) -> RecordOutcome

    /// False where the room is not there or has nothing of this kind on record about the user.
    func clear(_ kind: RoomStanding.Kind, of user: UserID, in room: RoomID) async throws(StoreError) -> Bool

    /// The room's standings of one kind, those that are over too.
    func standings(
        _ kind: RoomStanding.Kind, in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [RoomStanding]

    /// Has `user` block another. A block that is there already stays as it is.
    func block(_ other: UserBlock, by user: UserID) async throws(StoreError) -> RecordOutcome

    /// False where `user` does not block the other.
    func unblock(_ other: UserID, by user: UserID) async throws(StoreError) -> Bool

    /// The users that `user` blocks.
    func blocks(by user: UserID, after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBlock]

    /// Users that block `user`, at most `limit` of them.
    func blockers(of user: UserID, limit: Int) async throws(StoreError) -> Set<UserID>

    /// Whether one user blocks another.
    func isBlocked(_ user: UserID, by other: UserID) async throws(StoreError) -> Bool

    /// Whether any user blocks another.
    func hasBlocks() async throws(StoreError) -> Bool

    /// Bans a user from the deployment, in place of an earlier ban. Bans that are over are removed.
    func ban(_ ban: UserBan) async throws(StoreError) -> RecordOutcome

    /// False where the user is not banned.
    func unban(_ user: UserID) async throws(StoreError) -> Bool

    /// The ban of one user; nil where there is none.
    func ban(of user: UserID) async throws(StoreError) -> UserBan?

    func bans(after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBan]

    /// Records a flag. One that the user gave before keeps its time and takes the new reason.
    func flag(_ flag: MessageFlag, in room: RoomID) async throws(StoreError) -> RecordOutcome

    /// The room's flags, ordered by message and user, those behind `cursor`.
    func flags(
        in room: RoomID, after cursor: MessageFlag.Place?, limit: Int
    ) async throws(StoreError) -> [MessageFlag]

    /// Removes the flags of a message; how many there were.
    func settleFlags(of message: MessageID, in room: RoomID) async throws(StoreError) -> Int

    /// Removes everything that names the user: standings, blocks by and of the user, the user's flags. A ban from the deployment stays.
    /// Entries of the audit trail stay without the user's id.
    func eraseModeration(of user: UserID) async throws(StoreError)
}

/// What became of a record.
public enum RecordOutcome: Hashable, Sendable {
    case recorded
    /// As many are there as there may be.
    case full
    /// The room is not there.
    case noRoom
}
