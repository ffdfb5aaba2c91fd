/// Who may do what to the messages of a room.
public struct MessageRules: Sendable {
    /// The user or service that asks for a change.
    public struct Actor: Hashable, Sendable {
        public var user: UserID
        /// Whether the service key was shown.
        public var isService: Bool

        public init(user: UserID, isService: Bool) {
            self.user = user
            self.isService = isService
        }
    }

    /// How old a message may be that its author edits or deletes; nil for any age.
    public var editWindow: Duration?

    public init(editWindow: Duration? = nil) { self.editWindow = editWindow }

    /// Which messages the actor may change in this way.
    ///
    /// The actor may write into the room; that was decided before.
    public func authority(
        for request: ChangeRequest, _ actor: Actor, in room: Room, at now: Timestamp
    ) -> Result<ChangeAuthority, ChatError> {
        switch request {
        case .edit: .success(.ownMessages(since: oldest(at: now)))
        case .delete: .success(manages(actor, room) ? .anyMessage : .ownMessages(since: oldest(at: now)))
        case .react: .success(.anyMessage)
        case .pin:
            manages(actor, room)
                ? .success(.anyMessage) : .failure(.init(.forbidden, "only the owner and moderators may pin messages"))
        }
    }

    /// Whether the actor manages other users' messages in the room.
    private func manages(_ actor: Actor, _ room: Room) -> Bool { actor.isService || room.owner == actor.user }

    private func oldest(at now: Timestamp) -> Timestamp? {
        editWindow.map { Timestamp(milliseconds: now.milliseconds - $0.wholeMilliseconds) }
    }
}
