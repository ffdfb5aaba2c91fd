import ChatProtocol
import ChatDomain

/// A message between shards. Messages of one sender are delivered in order, in batches with one wake-up each.
package enum ShardMessage: Sendable {
    // To the shard where the room is at home.
    case room(RoomID, RoomCommand)
    case committed([RoomWriteOutcome])
    /// A piece of another instance's write, for this one to number.
    case forward(RoomTicket, [UInt8])
    /// What became of a piece that was forwarded.
    case outcome(RoomTicket, [UInt8])
    /// A piece that was forwarded waits for the store.
    case progress(RoomTicket)
    /// The live instances, this one among them; none while they are not known.
    case instances(Set<InstanceID>)
    case received(RoomID, [UInt8])
    case subscribed(RoomID)
    case reconnected
    case lost(InstanceID)
    /// The store has changed the room; the notice is acknowledged once that holds here.
    case roomChanged(RoomID, RoomChange, ChangeNotice?)
    /// No session on that shard watches the room's participants any more.
    case unwatched(RoomID, by: UInt16)

    // To the shard where the session lives.
    case reply(SessionAddress, request: UInt32, RoomReply)
    case entered(SessionAddress, request: UInt32, RoomID, EnteredRoom)
    case announcement(RoomID, EncodedAnnouncement)
    /// Messages of a room and changes of them, with their numbers, and when the first of them was taken from its sender.
    case messages(RoomID, EncodedFrames, ClosedRange<SequenceNumber>, since: Timestamp)
    /// The session is out of the room, for this reason.
    case expelled(SessionAddress, RoomID, ChatError)
    case direct([SessionAddress], EncodedFrames)
    /// Frames for these sessions outside their rooms' traffic.
    case notice([SessionAddress], EncodedFrames)
    case close(SessionAddress, CloseCode, ChatError)
    /// Ends a session of this id, if it lives on that shard.
    case end(SessionID, of: UserID, InstanceMessage.Ending)
    /// Ends a session without a grace period, because its user is banned from the deployment.
    case ban(SessionAddress)
    /// Answers at once, when all earlier messages have taken effect.
    case answer(RequestOrigin)
    /// Users began to block this one, and ceased to.
    case blocks(UserID, hidden: Set<UserID>, shown: Set<UserID>)
    /// It is known how the session's user stands, or cannot be known now.
    case loaded(SessionAddress)
    case presence([PresenceEdge])
    /// The user hid, or is seen again: the rooms of the sessions there are to follow.
    case visibility(UserID)
    case friendship(UserID, UserID, isFriend: Bool)
    /// How a watched room is now; nil when it was deleted.
    case watched(RoomID, WatchedRoom?)
    /// Gives the sessions there that a question asks for.
    case surveySessions(SessionQuery, @Sendable (SessionPage) -> Void)
    /// Gives the rooms with sessions there.
    case surveyRooms(RoomQuery, @Sendable (RoomPage) -> Void)
}

/// A command of a session or a REST call to a room.
package enum RoomCommand: Sendable {
    case join(SessionAddress, request: UInt32, RoomUser, HistoryRequest, FrameEncoding)
    case leave(SessionAddress, request: UInt32?, isBroken: Bool)
    /// - Parameter since: when the message came; nil for just now.
    case send(SessionAddress?, RequestOrigin, OutgoingMessage, RoomUser, since: Moment?)
    /// - Parameter isService: whether the service key was shown.
    case change(
        SessionAddress?, RequestOrigin, MessageChangeRequest, RoomUser, isService: Bool, since: Moment?)
    case typing(SessionAddress, request: UInt32, isTyping: Bool)
    case markRead(SessionAddress, request: UInt32, SequenceNumber)
    /// The session's client needs another form from now on.
    case reencode(SessionAddress, FrameEncoding)
    /// Asks what the room is and whether this user may enter; only visible users are counted as present.
    case info(RequestOrigin, UserID?, showing: VisibleUsers)
    /// That shard is to be sent the room's participants, on behalf of this user.
    case watch(RequestOrigin, UserID, shard: UInt16)
    /// Whether others may know of a user here may have changed.
    case visibility(UserID)
}

/// The view of a room for a session that enters it, encoded for it.
package struct EnteredRoom: Sendable {
    package var frames: [UInt8]
    package var encoding: FrameEncoding
    /// The data of the answer, for a join that asked for one.
    package var answer: [UInt8]?
    package var state: RoomState
    package var userID: UserID
    /// The messages it is shown.
    package var numbers: ClosedRange<SequenceNumber>?
    /// More was missed than is shown.
    package var needsResync: Bool
}

/// A room's participants, as its home shard sends them to the shards that watch it.
package struct WatchedRoom: Sendable {
    package var participants: Set<UserID>
    /// Whether every user may see them.
    package var isOpen: Bool
}
