/// Who may do what to the messages of a room.
public struct MessageRules: Sendable {
    /// How old a message may be that its author edits or deletes; nil for any age.
    public var editWindow: Duration?

    public init(editWindow: Duration? = nil) { self.editWindow = editWindow }

    /// The change for the store, with the authority that its user has.
    ///
    /// - Parameter id: the change's own id.
    func draft(
        of request: MessageChangeRequest, by user: RoomUser, isService: Bool, _ rights: RoomAuthority, as id: MessageID,
        in room: Room, at now: Timestamp
    ) -> Result<ChangeDraft, ChatError> {
        let actor = RoomActor(user: user.userID, isService: isService)
        return authority(for: request.kind, actor, rights, in: room, at: now).map {
            ChangeDraft(
                id: id, messageID: request.messageID, user: user, request: request.kind, authority: $0,
                clientMessageID: request.clientMessageID, timestamp: now)
        }
    }

    /// Which messages the actor may change in this way.
    ///
    /// That the actor is in the room, or may enter it, was decided before. A user that may not send neither edits nor reacts, and
    /// deletes own messages all the same.
    public func authority(
        for request: ChangeRequest, _ actor: RoomActor, _ rights: RoomAuthority, in room: Room, at now: Timestamp
    ) -> Result<ChangeAuthority, ChatError> {
        let isModerator = rights.isModerated(by: actor, room)
        switch request {
        case .edit, .react:
            if !actor.isService, let user = actor.user, let refusal = rights.refusalOfMessage(by: user, in: room) {
                return .failure(refusal)
            }
            if case .react = request { return .success(.anyMessage) }
            return .success(.ownMessages(since: oldest(at: now)))
        case .delete: return .success(isModerator ? .anyMessage : .ownMessages(since: oldest(at: now)))
        case .pin:
            return isModerator
                ? .success(.anyMessage) : .failure(.init(.forbidden, "only the owner and moderators may pin messages"))
        }
    }

    private func oldest(at now: Timestamp) -> Timestamp? {
        editWindow.map { Timestamp(milliseconds: now.milliseconds - $0.wholeMilliseconds) }
    }
}

extension ChangeDraft {
    /// Leaves out users that an edit may not mention.
    mutating func keepMentions(where isAllowed: (UserID) -> Bool) {
        guard case .edit(var edit) = request else { return }
        edit.mentions.removeAll { !isAllowed($0) }
        request = .edit(edit)
    }
}

extension MessageBody {
    /// Writes `replyTo` as ids are written; false where it is no id.
    mutating func normalizeReply() -> Bool {
        guard let replyTo else { return true }
        guard let id = MessageID(replyTo) else { return false }
        self.replyTo = id.description
        return true
    }
}
