import ChatProtocol
import ChatDomain

/// A room on its home shard: the rules (`LiveRoom`) and what it takes to carry out their effects.
final class HomeRoom {
    let id: RoomID
    /// nil while the room is being loaded or made.
    var live: LiveRoom?
    /// Commands that came before the room was there; in order.
    var waiting: [RoomCommand] = []
    /// Sessions that receive the room's traffic, with their encoding. A joined session enters once it was shown the room.
    var entered: [SessionAddress: FrameEncoding] = [:]
    var audience = Audience()
    /// Joins that wait for a page of history; those who need the same page share one read.
    var reading: [HistoryQuery: [PendingJoin]] = [:]
    /// Joins of sessions that are ahead of this instance, until it has read as far.
    var catchingUp: [PendingJoin] = []
    /// Joins that wait until the store has their users as participants.
    var enrolling: [RequestOrigin: PendingJoin] = [:]
    /// Joins that wait for other instances to say who is there, and who has done so.
    var arriving: [PendingJoin] = []
    var answered: Set<InstanceID> = []
    var answersExpected: Int?
    /// Tells one such wait from the next.
    var arrivals = 0
    var timer: (id: LoopTimer, deadline: Moment)?
    var isQueuedForWrite = false
    var isRepairing = false
    /// Deleted while a write was in flight: commands wait for its outcome, as a room has one write at a time.
    var isClosing = false
    /// The count of the store's failures up to which the room was compared with it, and whether that is under way.
    var compared: UInt64
    var isComparing = false
    /// How often the room itself was changed from outside while it was here.
    var changes = 0
    /// It changed while it was read from the store, so that what is read may be from before.
    var isOutdated = false
    /// When the store began to be asked for what is known of the room.
    var readAt: Moment?
    /// Commands wait in `waiting` until it is certain that what is known still holds.
    var isVerifying = false
    var isRefreshing = false
    var isRefreshDue = false
    /// Who waits for a refresh that begins from now on.
    var refreshers: [(Bool) -> Void] = []
    /// Read marks beyond the newest message known here, while the store is asked for it.
    var distantMarks: [(origin: RequestOrigin, session: SessionAddress, sequence: SequenceNumber)] = []
    /// Whether sessions here receive its traffic, so that other instances' is asked for.
    var isSubscribed = false
    /// Shards whose sessions watch the participants' presence, and what they were told last.
    var watchers: Set<UInt16> = []
    var toldRevision: UInt32 = 0
    var isTelling = false

    struct PendingJoin {
        let session: SessionAddress
        let request: UInt32
        let history: HistoryRequest
        let encoding: FrameEncoding
        let user: RoomUser
        /// What was read for it last.
        var query: HistoryQuery?
        /// Reads made for it so far; a room that outruns them all is reported as unavailable.
        var attempts = 0
    }

    /// - Parameter compared: the count of the store's failures before the room is read.
    init(id: RoomID, compared: UInt64) {
        self.id = id
        self.compared = compared
    }

    func enter(_ session: SessionAddress, _ encoding: FrameEncoding) {
        guard entered.updateValue(encoding, forKey: session) == nil else { return }
        audience.add(shard: session.shard, encoding)
    }

    func exit(_ session: SessionAddress) {
        guard let encoding = entered.removeValue(forKey: session) else { return }
        audience.remove(shard: session.shard, encoding)
    }

    var isForgettable: Bool {
        waiting.isEmpty && arriving.isEmpty && reading.isEmpty && watchers.isEmpty && enrolling.isEmpty
            && distantMarks.isEmpty && !isComparing && !isRepairing && !isRefreshing && !isRefreshDue
            && !isQueuedForWrite
            && inPlace { $0.isIdle } ?? true
    }

    /// When the live room has something to do; nil also while there is none.
    var deadline: Moment? { inPlace { $0.deadline } ?? nil }

    /// Asks the live room, if there is one, without copying it: a copy retains all it holds, which several times a
    /// message is dear.
    func inPlace<Answer>(_ ask: (inout LiveRoom) -> Answer) -> Answer? {
        live == nil ? nil : ask(&live!)
    }
}
