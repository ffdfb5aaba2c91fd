/// One session beside the others of its user: a `SessionRecord` without the user's id, which there are very many of.
struct UserSession: Sendable {
    let id: SessionID
    private let instance: InstanceID
    var username: String
    private let userAgent: String?
    private let connectedAt: Timestamp
    var lastActiveAt: Timestamp
    var requestedStatus: PresenceStatus
    var isIdle: Bool
    var isDisconnected: Bool

    init(_ record: SessionRecord) {
        id = record.id
        instance = record.instance
        username = record.user.username
        userAgent = record.userAgent
        connectedAt = record.connectedAt
        lastActiveAt = record.lastActiveAt
        requestedStatus = record.requestedStatus
        isIdle = record.isIdle
        isDisconnected = record.isDisconnected
    }

    func record(of user: UserID) -> SessionRecord {
        var record = SessionRecord(
            id: id, instance: instance, user: RoomUser(userID: user, username: username), userAgent: userAgent,
            connectedAt: connectedAt, requestedStatus: requestedStatus)
        record.lastActiveAt = lastActiveAt
        record.isIdle = isIdle
        record.isDisconnected = isDisconnected
        return record
    }

    /// The user's status as far as this session goes.
    var status: PresenceStatus { requestedStatus.shown(isIdle: isIdle) }
}
