/// Who may do what in a live room: roles, bans and mutes, and the pace of its members.
struct RoomRights: Sendable {
    private(set) var authority: RoomAuthority
    private var slowMode = SlowMode()

    init(_ snapshot: RoomSnapshot) {
        authority = snapshot.authority
        for message in snapshot.recentMessages { noteSender(of: message, in: snapshot.room) }
    }

    /// Takes what the store has.
    mutating func refresh(_ snapshot: RoomSnapshot) {
        authority = snapshot.authority
        for message in snapshot.recentMessages { noteSender(of: message, in: snapshot.room) }
    }

    mutating func apply(_ change: StandingChange) { authority.apply(change) }

    mutating func lift(at now: Timestamp) { authority.lift(at: now) }

    // MARK: Sending

    /// Why the author may not send this now; nil where the author may.
    func refusal(of draft: MessageDraft, in room: Room) -> ChatError? {
        let author = draft.body.author
        if let refusal = authority.refusalOfMessage(by: author, in: room) { return refusal }
        guard room.slowModeSeconds > 0, authority.role(of: author, in: room) == .member else { return nil }
        let wait = slowMode.wait(
            of: author, clientMessageID: draft.body.clientMessageID, interval: .seconds(room.slowModeSeconds),
            at: draft.timestamp)
        return wait.map { ChatError(.rateLimited, "members wait between two messages here", retryAfter: $0) }
    }

    /// The draft is to be stored: its author's time to wait begins.
    mutating func noteSender(of draft: MessageDraft, in room: Room) {
        note(draft.body, at: draft.timestamp, in: room)
    }

    /// The draft was not stored.
    mutating func forgetSender(of draft: MessageDraft) {
        slowMode.forget(draft.body.author, at: draft.timestamp)
    }

    /// The message is stored, by whatever instance.
    mutating func noteSender(of message: Message, in room: Room) {
        note(message.body, at: message.timestamp, in: room)
    }

    private mutating func note(_ body: MessageBody, at time: Timestamp, in room: Room) {
        guard room.slowModeSeconds > 0 else { return }
        slowMode.note(body.author, at: time, clientMessageID: body.clientMessageID)
    }
}
