import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import WireProtocols

/// What shards tell each other. Delivered in order per sender, in batches, one wake-up however many.
enum ShardMessage: Sendable {
    // To the shard where the room is at home.
    case room(RoomID, RoomCommand)
    case committed([RoomWriteOutcome])
    case received(RoomID, [UInt8])
    case subscribed(RoomID)
    case reconnected
    case lost(InstanceID)
    /// The store has changed the room; the notice is acknowledged once that holds here.
    case roomChanged(RoomID, RoomChange, ChangeNotice?)
    /// Nobody on that shard watches the room's participants any more.
    case unwatched(RoomID, by: UInt16)

    // To the shard where the session lives.
    case reply(SessionAddress, request: UInt32, RoomReply)
    case entered(SessionAddress, request: UInt32, RoomID, EnteredRoom)
    /// `about`: only for sessions whose users may see this one.
    case fanOut(RoomID, EncodedFrames, isDroppable: Bool, except: UserID?, about: UserID?)
    /// Messages of a room, with their numbers, and when the first of them was taken from its sender.
    case messages(RoomID, EncodedFrames, ClosedRange<SequenceNumber>, since: Timestamp)
    case expelled(SessionAddress, RoomID)
    case direct([SessionAddress], EncodedFrames)
    /// What these sessions are told beside their rooms' traffic.
    case notice([SessionAddress], EncodedFrames)
    case close(SessionAddress, CloseCode, ChatError)
    /// Ends a session for good: without a grace period.
    case logOut(SessionAddress)
    case presence([PresenceEdge])
    /// The user hid, or is seen again: the rooms of the sessions there are to follow.
    case visibility(UserID)
    case friendship(UserID, UserID, isFriend: Bool)
    /// How a watched room is now; nil when it was deleted.
    case watched(RoomID, WatchedRoom?)

    // Between the shard where an Engine.IO request came in and the one its session lives on.
    case poll(UInt64, from: UInt16, EngineIORequest, HTTPRequest)
    case polled(UInt64, HTTPResponse)
    case pollAbandoned(UInt64, by: UInt16)
    case upgrade(EngineIORequest, HTTPRequest, Handover<DetachedConnection>)
}

/// What a session or a REST call wants of a room.
enum RoomCommand: Sendable {
    case join(SessionAddress, request: UInt32, RoomUser, HistoryRequest, FrameEncoding)
    case leave(SessionAddress, request: UInt32?, isBroken: Bool)
    /// - Parameter since: when the message came; nil for just now.
    case send(SessionAddress?, RequestOrigin, OutgoingMessage, RoomUser, since: Moment?)
    case typing(SessionAddress, request: UInt32, isTyping: Bool)
    case markRead(SessionAddress, request: UInt32, SequenceNumber)
    /// The session's client needs another form from now on.
    case reencode(SessionAddress, FrameEncoding)
    /// Asks what the room is and whether this user may enter; only the users named are counted as present, nil for all.
    case info(RequestOrigin, UserID?, showing: Set<UserID>?)
    /// Sessions on that shard are to know who takes part, on behalf of this user.
    case watch(RequestOrigin, UserID, shard: UInt16)
    /// Whether others may know of a user here may have changed.
    case visibility(UserID)
}

/// What a session is shown on entering a room, encoded for it.
struct EnteredRoom: Sendable {
    var frames: [UInt8]
    var encoding: FrameEncoding
    /// The data of the answer, for a join that asked for one.
    var answer: [UInt8]?
    var state: RoomState
    var userID: UserID
    /// The messages it is shown.
    var numbers: ClosedRange<SequenceNumber>?
    /// More was missed than is shown.
    var needsResync: Bool
}
