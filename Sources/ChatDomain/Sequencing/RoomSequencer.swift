/// Brings the writes of rooms to the instance that numbers them, and numbers those of this instance's own rooms: a value
/// that commands, answers and the time go into, and actions come out of.
///
/// A room's writes are committed one at a time, and what comes meanwhile is committed together in the next. A write that
/// another instance numbers is forwarded to it, one piece at a time, and sent again where no answer comes. Every draft keeps
/// its id, so the store stores it once however often and by however many instances it is committed.
public struct RoomSequencer: Sendable {
    public enum Action: Sendable {
        /// Send a piece of a write to the instance that numbers the room; `receivedOutcome` may follow.
        case forward(RoomWrite, ticket: UInt64, to: InstanceID)
        /// Send the outcome of a forwarded piece back.
        case answer(RoomWriteOutcome, ticket: UInt64, to: InstanceID)
        /// Say that a forwarded piece waits for the store, so that its sender goes on waiting.
        case reportProgress(RoomID, ticket: UInt64, to: InstanceID)
        /// A write of this instance has its outcome.
        case finish(RoomWriteOutcome)
    }

    public struct Limits: Sendable {
        /// How long an answer or a report of progress is awaited before the owner counts as silent.
        public var answerTimeout: Duration = .milliseconds(750)
        /// How long a silent instance is passed over.
        public var silenceMemory: Duration = .seconds(5)
        /// How long a lost race is repeated before the write fails.
        public var raceTimeout: Duration = .seconds(5)
        /// Before an uncertain write is tried again that the store could not take.
        public var retryDelay: Duration = .milliseconds(250)
        /// Bytes of text in one forwarded piece, if it holds more than one draft.
        public var pieceBytes = 256 * 1024
        /// Writes of other instances that may wait for one room. More are dropped, and sent again by their instances.
        public var maximumWaiting = 256
        /// Bytes of text of other instances' writes that may wait for all rooms together. More are dropped likewise.
        public var maximumForwardedBytes = 64 << 20

        public init() {}
    }

    /// A shard of another instance: each has tickets of its own.
    private struct Sender: Hashable, Sendable {
        let instance: InstanceID
        let shard: UInt16
    }

    private struct Forward: Sendable {
        var ticket: UInt64
        var owner: InstanceID
        var piece: RoomWrite
        var deadline: Moment

        /// Whether the outcome has an entry for everything the piece holds.
        func fits(_ outcome: RoomWriteOutcome) -> Bool {
            outcome.drafts.count == piece.drafts.count && outcome.readMarks.count == piece.readMarks.count
        }
    }

    /// What becomes of this instance's own write of a room.
    private enum Own: Sendable {
        /// It waits for its turn in `waiting`, or is in flight here.
        case local
        case forwarded(SequencedWrite, Forward)
        /// The store could not take it; it is tried again.
        case retrying(SequencedWrite, at: Moment)
    }

    private struct Lane: Sendable {
        var waiting: [SequencedWrite] = []
        /// The parts of the commit in flight, with the piece of each.
        var inFlight: [(write: SequencedWrite, piece: RoomWrite)] = []
        var own: Own?
        /// Whether an earlier attempt may have stored the own write's open drafts, so that no refusal of a later one is final.
        var isUncertain = false
        var raceDeadline: Moment?

        var isIdle: Bool { waiting.isEmpty && inFlight.isEmpty && own == nil }
    }

    /// Shards of other instances whose tickets are remembered, before those of dead instances are forgotten.
    private static let maximumSenders = 1000

    private let instance: InstanceID
    private let limits: Limits
    private var ownership = RoomOwnership()
    private var silent: [InstanceID: Moment] = [:]
    private var lanes: [RoomID: Lane] = [:]
    /// Rooms whose writes may have to be committed.
    private var ready: Set<RoomID> = []
    private var lastTicket: UInt64
    /// Tickets of each other shard that were taken. A repeated forward must not be committed again: its instance may have
    /// refused the senders since.
    private var taken: [Sender: TicketWindow] = [:]
    /// What the writes of other instances weigh that have no outcome yet.
    private var forwardedBytes = 0

    /// - Parameter firstTicket: larger in every later life of an instance, so that no ticket is ever used twice.
    public init(instance: InstanceID, firstTicket: UInt64, limits: Limits = Limits()) {
        self.instance = instance
        self.limits = limits
        lastTicket = firstTicket
    }

    // MARK: Inputs

    /// The live instances, this one included; none while they are not known.
    public mutating func setInstances(_ instances: Set<InstanceID>, at now: Moment) -> [Action] {
        ownership = RoomOwnership(instances)
        silent = silent.filter { instances.contains($0.key) && $0.value > now }
        if taken.count > Self.maximumSenders { taken = taken.filter { instances.contains($0.key.instance) } }
        var actions: [Action] = []
        for (room, lane) in lanes {
            guard case .forwarded(let write, let forward)? = lane.own, owner(of: room, at: now) != forward.owner else {
                continue
            }
            lanes[room]?.isUncertain = true
            actions += place(write, of: room, at: now)
        }
        return actions
    }

    /// Takes a write of this instance's room. One write of a room may be under way at a time.
    public mutating func submit(_ write: RoomWrite, at now: Moment) -> [Action] {
        place(SequencedWrite(write, from: .own), of: write.roomID, at: now)
    }

    /// Takes a piece that another instance forwarded. A repeated ticket is passed over.
    ///
    /// - Parameter shard: the shard of that instance that gave the ticket.
    public mutating func receivedForward(
        _ write: RoomWrite, ticket: UInt64, from instance: InstanceID, shard: UInt16 = 0
    ) {
        var lane = lanes[write.roomID] ?? Lane()
        let bytes = write.approximateBytes
        guard lane.waiting.count < limits.maximumWaiting, forwardedBytes + bytes <= limits.maximumForwardedBytes,
            taken[Sender(instance: instance, shard: shard), default: TicketWindow()].take(ticket)
        else { return }
        forwardedBytes += bytes
        lane.waiting.append(SequencedWrite(write, from: .forwarded(instance, ticket: ticket)))
        lanes[write.roomID] = lane
        ready.insert(write.roomID)
    }

    /// Takes the owner's answer to a forwarded piece.
    public mutating func receivedOutcome(
        _ outcome: RoomWriteOutcome, ticket: UInt64, from instance: InstanceID, at now: Moment
    ) -> [Action] {
        silent[instance] = nil
        let room = outcome.roomID
        guard case .forwarded(var write, let forward)? = lanes[room]?.own, forward.ticket == ticket,
            forward.owner == instance, forward.fits(outcome)
        else { return [] }
        guard !retriesLater(write, of: room, after: outcome, at: now) else { return [] }
        let hasLostRace = write.take(outcome)
        if let finished = write.finished { return finish(room, finished) }
        if !hasLostRace { lanes[room]?.isUncertain = false }
        return place(write, of: room, at: now)
    }

    /// The owner lives and has the piece, but the store has not answered it.
    public mutating func receivedProgress(of room: RoomID, ticket: UInt64, from instance: InstanceID, at now: Moment) {
        guard case .forwarded(let write, var forward)? = lanes[room]?.own, forward.ticket == ticket,
            forward.owner == instance
        else { return }
        forward.deadline = now + limits.answerTimeout
        lanes[room]?.own = .forwarded(write, forward)
    }

    /// Takes the store's answer to a commit.
    public mutating func committed(_ outcome: RoomWriteOutcome, at now: Moment) -> [Action] {
        let room = outcome.roomID
        guard var lane = lanes[room] else { return [] }
        let parts = lane.inFlight
        lane.inFlight = []
        lanes[room] = lane
        var finished: [(SequencedWrite, RoomWriteOutcome)] = []
        var unfinished: [SequencedWrite] = []
        for (part, outcome) in zip(parts, outcome.divided(among: parts.map(\.piece))) {
            var write = part.write
            if write.source == .own, retriesLater(write, of: room, after: outcome, at: now) { continue }
            if write.take(outcome) {
                let deadline = lanes[room]?.raceDeadline ?? now + limits.raceTimeout
                lanes[room]?.raceDeadline = deadline
                // Another attempt may have stored an uncertain write: it is repeated until that shows.
                let isUncertain = write.source == .own && lanes[room]?.isUncertain == true
                if now >= deadline, !isUncertain { write.fail(.contended) }
            }
            if let outcome = write.finished { finished.append((write, outcome)) } else { unfinished.append(write) }
        }
        if unfinished.isEmpty { lanes[room]?.raceDeadline = nil }
        lanes[room]?.waiting.insert(contentsOf: unfinished, at: 0)
        continueLane(room)
        // Last, because the lane is forgotten with its last write.
        var actions: [Action] = []
        for (write, outcome) in finished {
            if write.source != .own { forwardedBytes -= write.approximateBytes }
            actions += answer(outcome, to: write.source, in: room)
        }
        return actions
    }

    /// Lets time pass: silent owners are passed over, uncertain writes tried again, and the senders of what waits here are told.
    /// To be called several times within `answerTimeout`.
    public mutating func tick(at now: Moment) -> [Action] {
        var actions: [Action] = []
        for (room, lane) in lanes {
            for write in lane.inFlight.map(\.write) + lane.waiting {
                guard case .forwarded(let instance, let ticket) = write.source else { continue }
                actions.append(.reportProgress(room, ticket: ticket, to: instance))
            }
            switch lane.own {
            case .forwarded(let write, let forward)? where forward.deadline <= now:
                silent[forward.owner] = now + limits.silenceMemory
                lanes[room]?.isUncertain = true
                actions += place(write, of: room, at: now)
            case .retrying(let write, let time)? where time <= now: actions += place(write, of: room, at: now)
            default: break
            }
        }
        return actions
    }

    /// Whether no write is under way, so that `tick` has nothing to do.
    public var isIdle: Bool { lanes.isEmpty }

    /// When `tick` has something to do; nil when it has not.
    public var nextDeadline: Moment? {
        lanes.values.lazy.compactMap { lane in
            switch lane.own {
            case .forwarded(_, let forward)?: forward.deadline
            case .retrying(_, let time)?: time
            case .local?, nil: nil
            }
        }.min()
    }

    /// The commits that may start now. Called at the end of a turn, so that what the turn brought goes together.
    public mutating func takeCommits() -> [RoomWrite] {
        guard !ready.isEmpty else { return [] }
        var commits: [RoomWrite] = []
        for room in ready {
            guard var lane = lanes[room], lane.inFlight.isEmpty, !lane.waiting.isEmpty else { continue }
            lane.inFlight = lane.waiting.map { ($0, $0.piece(bytes: .max)) }
            lane.waiting = []
            if let write = RoomWrite.combined(lane.inFlight.map(\.piece)) { commits.append(write) }
            lanes[room] = lane
        }
        ready = []
        return commits
    }

    // MARK: Rules

    private func owner(of room: RoomID, at now: Moment) -> InstanceID {
        ownership.owner(of: room) { other in other != instance && silent[other].map { $0 > now } ?? false } ?? instance
    }

    /// Lets an own write wait for its commit here, or forwards it.
    private mutating func place(_ write: SequencedWrite, of room: RoomID, at now: Moment) -> [Action] {
        let owner = owner(of: room, at: now)
        guard owner != instance else {
            var lane = lanes[room] ?? Lane()
            lane.own = .local
            lane.waiting.append(write)
            lanes[room] = lane
            ready.insert(room)
            return []
        }
        lastTicket &+= 1
        let forward = Forward(
            ticket: lastTicket, owner: owner, piece: write.piece(bytes: limits.pieceBytes),
            deadline: now + limits.answerTimeout)
        lanes[room, default: Lane()].own = .forwarded(write, forward)
        return [.forward(forward.piece, ticket: forward.ticket, to: owner)]
    }

    /// Lets an uncertain own write be tried again later that the store could not take; whether it is.
    private mutating func retriesLater(
        _ write: SequencedWrite, of room: RoomID, after outcome: RoomWriteOutcome, at now: Moment
    ) -> Bool {
        guard lanes[room]?.isUncertain == true, outcome.drafts.contains(where: \.isStoreFailure) else { return false }
        lanes[room]?.own = .retrying(write, at: now + limits.retryDelay)
        return true
    }

    private mutating func answer(
        _ outcome: RoomWriteOutcome, to source: SequencedWrite.Source, in room: RoomID
    ) -> [Action] {
        switch source {
        case .own: finish(room, outcome)
        case .forwarded(let instance, let ticket): [.answer(outcome, ticket: ticket, to: instance)]
        }
    }

    private mutating func finish(_ room: RoomID, _ outcome: RoomWriteOutcome) -> [Action] {
        lanes[room]?.own = nil
        lanes[room]?.isUncertain = false
        continueLane(room)
        return [.finish(outcome)]
    }

    /// Forgets a lane with nothing under way; else sees to its next commit.
    private mutating func continueLane(_ room: RoomID) {
        guard let lane = lanes[room] else { return }
        if lane.isIdle { lanes[room] = nil } else if !lane.waiting.isEmpty { ready.insert(room) }
    }
}
