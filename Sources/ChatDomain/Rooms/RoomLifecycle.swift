/// The part of a command that matters to the life of a room; the rest of the command is opaque to it.
public protocol LifecycleCommand: Sendable {
    /// The command is executed even where memory may lack a change that another instance made.
    var isAlwaysAllowed: Bool { get }
    /// The user for whom the command creates a room that does not exist, and the way it does so; nil where it creates none.
    var creation: RoomCreation? { get }
    /// When the command came to its session, from which its sender's time to wait counts; nil for when it comes to the room.
    var since: Moment? { get }
    /// The command as it is kept while the room cannot take it; its sender's time to wait counts from `now`, or from earlier.
    func waiting(since now: Moment) -> Self
}

/// How a command may create its room.
public enum RoomCreation: Hashable, Sendable {
    case byJoining(UserID)
    /// By a message of a user that has not joined.
    case bySending(UserID)

    public var user: UserID {
        switch self {
        case .byJoining(let user), .bySending(let user): user
        }
    }
}

/// The reason for a refresh of a room from the store.
public enum RefreshReason: Hashable, Sendable {
    /// Another instance waits until this one follows a change.
    case change(ChangeNotice)
    /// Joins wait to be shown the room as it is since traffic of other instances comes in.
    case subscription
    /// Contact with other instances was lost and is there again.
    case reconnection
}

/// The life of a room on its home shard: loading, open, closing, closed. Decides whether commands wait or continue, and which
/// questions go to the store.
///
/// A value without clock or I/O: commands, the store's answers and the time go in, actions come out. The rules of an open room
/// are in `LiveRoom`. See ADR 0019.
public struct RoomLifecycle<Command: LifecycleCommand>: Sendable {
    public struct Policy: Sendable {
        /// Other instances may change the room.
        public var isShared: Bool
        /// Joining a group that does not exist creates it.
        public var createsGroups: Bool
        /// How long an answer of the store is waited for, and how long a command waits for the room.
        public var storeTimeout: Duration
        /// Commands that may wait for the room.
        public var maximumWaiting = 4096

        public init(isShared: Bool, createsGroups: Bool, storeTimeout: Duration) {
            self.isShared = isShared
            self.createsGroups = createsGroups
            self.storeTimeout = storeTimeout
        }
    }

    /// The treatment of a command.
    public enum Admission: Sendable {
        case execute
        /// The command is kept; an action will name it.
        case wait([Action])
        case refuse(ChatError)
    }

    public enum Action: Sendable {
        /// Read the room from the store; `didRead` follows.
        case read(number: Int)
        /// Count one more room of this user against the user's limit; `didCountCreation` follows at once.
        case countCreation(by: UserID)
        /// Create the room in the store, on behalf of this user; `didCreate` follows.
        case create(Room, participants: [UserID], by: UserID, number: Int)
        /// The room is open from here on.
        case open(RoomSnapshot)
        /// The open room is this in the store.
        case refresh(RoomSnapshot)
        /// The store did not say what the open room is.
        case failRefresh
        /// Make this change in the open room.
        case apply(RoomChange)
        /// The store has the room no more: end all activity in it. `didClose` follows at once.
        case close
        case execute(Command)
        /// Call `reconsider`: commands wait that may continue.
        case reconsider
        /// The room is gone, and this command means the next room of this id.
        case dispatch(Command)
        case refuse(Command, ChatError)
        /// The refresh that was asked for is over, or the room is.
        case resume(RefreshReason)
        /// Nothing remains here: remove the room from memory.
        case forget
    }

    private enum Phase {
        /// Nothing was asked yet.
        case new
        case loading
        /// The store has no such room; the command at this index may create it if its user may create one more.
        case missing(creator: Int)
        case creating
        case open
        /// Deleted while a write is in flight. Commands wait for its outcome, as a room has one write at a time.
        case closing
        case closed
    }

    /// A question to the store that has not been answered.
    private struct Request {
        let number: Int
        let begunAt: Moment
        let deadline: Moment
        var askers = Askers()
    }

    private struct Waiting {
        let command: Command
        let deadline: Moment
    }

    /// The inputs that wait for a refresh.
    private struct Askers {
        var reasons: [RefreshReason] = []
        /// Commands wait too, in `verifying`.
        var areCommands = false
        /// A refresh was asked for by the room itself.
        var isRoom = false

        var isEmpty: Bool { reasons.isEmpty && !areCommands && !isRoom }
        /// Whether what the room is has to be known even if every command that waits is refused.
        var concernRoom: Bool { isRoom || !reasons.isEmpty }

        mutating func add(_ other: Askers) {
            reasons = other.reasons + reasons
            areCommands = areCommands || other.areCommands
            isRoom = isRoom || other.isRoom
        }
    }

    /// News of changes may come in another order than the store has them. The store is asked this much later.
    static var reorderingTime: Duration { .seconds(1) }
    /// A store that could not say what the room is is asked again this much later.
    static var repetitionTime: Duration { .seconds(1) }

    private let id: RoomID
    private let policy: Policy
    private var phase = Phase.new
    /// Commands that came before the room could take them; in order.
    private var waiting: [Waiting] = []
    /// The commands for which the store is being asked; nil while it is not asked for commands.
    private var verifying: [Waiting]?
    private var lastNumber = 0
    private var request: Request?
    /// The inputs that wait for a refresh that begins from now on.
    private var pending = Askers()
    /// The room changed while it was read, so that the answer may be from before.
    private var isOutdated = false
    /// When the store began to be asked for what is known of the room.
    private var knownAt: Moment?
    private var refreshDue: Moment?
    private var closingDeadline: Moment?

    public init(id: RoomID, policy: Policy) {
        self.id = id
        self.policy = policy
    }

    public var isOpen: Bool { if case .open = phase { true } else { false } }
    public var isClosing: Bool { if case .closing = phase { true } else { false } }

    /// The room is open, and nothing waits or is asked.
    public var isIdle: Bool { isOpen && waiting.isEmpty && request == nil && pending.isEmpty && refreshDue == nil }

    // MARK: Commands

    /// - Parameter contact: the contact with other instances, asked for where rooms are shared.
    public mutating func received(
        _ command: Command, contact: @autoclosure () -> Contact, at now: Moment
    ) -> Admission {
        if isOpen, verifying == nil, command.isAlwaysAllowed || isCurrent(contact(), at: now) { return .execute }
        if case .closed = phase { return .refuse(.roomUnavailable) }
        guard waiting.count < policy.maximumWaiting else {
            return .refuse(.roomOverloaded)
        }
        // One that waited behind others of its session has waited already. Where nothing was asked yet it still has the room loaded.
        let deadline = (command.since ?? now) + policy.storeTimeout
        if deadline <= now {
            guard case .new = phase else { return .refuse(.storageUnavailable) }
        }
        waiting.append(Waiting(command: command.waiting(since: now), deadline: deadline))
        switch phase {
        case .new: return .wait(load(at: now))
        case .open: return .wait(verify(at: now))
        case .closing:
            if closingDeadline == nil { closingDeadline = now + policy.storeTimeout }
            return .wait([])
        default: return .wait([])
        }
    }

    /// Whether the room in memory has every change that other instances made.
    private func isCurrent(_ contact: @autoclosure () -> Contact, at now: Moment) -> Bool {
        guard policy.isShared, let knownAt else { return true }
        return contact().vouches(for: knownAt, at: now)
    }

    /// Asks the store on behalf of the commands that wait now; those that come meanwhile need an answer of their own.
    private mutating func verify(at now: Moment) -> [Action] {
        guard verifying == nil else { return [] }
        verifying = waiting
        waiting = []
        pending.areCommands = true
        return beginRefresh(at: now)
    }

    /// The store was asked for the commands in `verifying`.
    private mutating func endVerifying(isDone: Bool) -> [Action] {
        let verified = verifying?.map { $0.command } ?? []
        verifying = nil
        return verified.map { isDone || $0.isAlwaysAllowed ? .execute($0) : .refuse($0, .storageUnavailable) }
            + (waiting.isEmpty ? [] : [.reconsider])
    }

    /// Lets the commands that wait continue, or asks the store on behalf of them all.
    public mutating func reconsider(contact: @autoclosure () -> Contact, at now: Moment) -> [Action] {
        guard isOpen, verifying == nil, !waiting.isEmpty else { return [] }
        guard isCurrent(contact(), at: now) else { return verify(at: now) }
        return takeWaiting().map { .execute($0) }
    }

    // MARK: Loading and creating

    private mutating func load(at now: Moment) -> [Action] {
        phase = .loading
        return [.read(number: ask(at: now))]
    }

    private mutating func ask(for askers: Askers = Askers(), at now: Moment) -> Int {
        lastNumber += 1
        isOutdated = false
        request = Request(
            number: lastNumber, begunAt: now, deadline: now + policy.storeTimeout, askers: askers)
        return lastNumber
    }

    /// Ends the request of this number; nil for one that is over already.
    private mutating func finish(_ number: Int) -> Request? {
        guard let finished = request, finished.number == number else { return nil }
        request = nil
        return finished
    }

    private mutating func open(_ snapshot: RoomSnapshot) -> [Action] {
        phase = .open
        return [.open(snapshot), .reconsider]
    }

    private mutating func abandon(_ error: ChatError) -> [Action] {
        phase = .closed
        return [.forget] + takeWaiting().map { .refuse($0, error) }
    }

    /// The first command that may create the room does so; those before it are refused.
    private mutating func findCreator(from start: Int, refusal: ChatError) -> [Action] {
        let next = waiting.indices.dropFirst(start).first { mayCreate(waiting[$0].command.creation) }
        guard let next, let user = waiting[next].command.creation?.user else { return abandon(refusal) }
        phase = .missing(creator: next)
        return [.countCreation(by: user)]
    }

    /// A direct room comes to exist by the first join or message of one of its two users, an open group by a join.
    private func mayCreate(_ creation: RoomCreation?) -> Bool {
        guard let creation else { return false }
        if DirectRoom.isDirect(id) {
            return DirectRoom.participants(of: id).map { $0.0 == creation.user || $0.1 == creation.user } ?? false
        }
        if case .byJoining = creation { return policy.createsGroups } else { return false }
    }

    /// - Parameter refusal: why the user may create no more rooms; nil where one more is allowed.
    public mutating func didCountCreation(refusal: ChatError?, at now: Now) -> [Action] {
        guard case .missing(let index) = phase, let user = waiting[index].command.creation?.user else { return [] }
        if let refusal { return findCreator(from: index + 1, refusal: refusal) }
        let refused = waiting[..<index].map { Action.refuse($0.command, .roomUnavailable) }
        waiting.removeFirst(index)
        phase = .creating
        let pair = DirectRoom.participants(of: id)
        let room = Room(
            id: id, kind: pair == nil ? .group : .direct, isPrivate: pair != nil, createdAt: now.wall)
        let wasOutdated = isOutdated
        let number = ask(at: now.monotonic)
        isOutdated = wasOutdated
        return refused + [.create(room, participants: pair.map { [$0.0, $0.1] } ?? [user], by: user, number: number)]
    }

    public mutating func didCreate(
        number: Int, _ result: Result<RoomSnapshot, StoreError>, at now: Moment
    ) -> [Action] {
        guard case .creating = phase, finish(number) != nil else { return [] }
        switch result {
        case .success where isOutdated: return load(at: now)
        case .success(let snapshot): return open(snapshot)
        case .failure(.rejected): return abandon(.roomUnavailable)
        case .failure: return abandon(.storageUnavailable)
        }
    }

    // MARK: The store's answers

    /// - Parameter result: nil for a room that is not there.
    public mutating func didRead(
        number: Int, _ result: Result<RoomSnapshot?, StoreError>, at now: Moment
    ) -> [Action] {
        guard let read = finish(number) else { return [] }
        if case .loading = phase { return didLoad(result, begunAt: read.begunAt, at: now) }
        switch result {
        case .success where isOutdated:
            pending.add(read.askers)
            return beginRefresh(at: now)
        case .success(let snapshot?):
            knownAt = read.begunAt
            return [.refresh(snapshot)] + end(read.askers, isDone: true, at: now)
        case .success(nil):
            pending.add(read.askers)
            return [.close]
        case .failure:
            // A change that was announced is not known here yet.
            if policy.isShared, read.askers.concernRoom { refreshDue = refreshDue ?? now + Self.repetitionTime }
            return [.failRefresh] + end(read.askers, isDone: false, at: now)
        }
    }

    private mutating func didLoad(
        _ result: Result<RoomSnapshot?, StoreError>, begunAt: Moment, at now: Moment
    ) -> [Action] {
        switch result {
        case .success where isOutdated: return load(at: now)
        case .success(let snapshot):
            knownAt = begunAt
            return snapshot.map { open($0) } ?? findCreator(from: 0, refusal: .roomUnavailable)
        case .failure: return abandon(.storageUnavailable)
        }
    }

    // MARK: Refreshing

    /// Reads what the room is now, beginning after this call; `resume` follows with this reason.
    public mutating func refresh(for reason: RefreshReason, at now: Moment) -> [Action] {
        guard isOpen else { return [.resume(reason)] }
        pending.reasons.append(reason)
        return beginRefresh(at: now)
    }

    private mutating func beginRefresh(at now: Moment) -> [Action] {
        guard request == nil, !pending.isEmpty else { return [] }
        let askers = pending
        pending = Askers()
        return [.read(number: ask(for: askers, at: now))]
    }

    private mutating func end(_ askers: Askers, isDone: Bool, at now: Moment) -> [Action] {
        let resumed = askers.reasons.map { Action.resume($0) }
        let commands = askers.areCommands ? endVerifying(isDone: isDone) : []
        return resumed + beginRefresh(at: now) + commands
    }

    // MARK: Changes

    /// The store has changed the room, on behalf of any instance.
    ///
    /// - Parameter notice: what `resume` names once the change holds here.
    public mutating func received(_ change: RoomChange, notice: ChangeNotice?, at now: Moment) -> [Action] {
        let holds = notice.map { [Action.resume(.change($0))] } ?? []
        guard isOpen else {
            // The state being loaded may be older than the change.
            isOutdated = true
            return holds
        }
        switch change {
        case .revised:
            isOutdated = true
            return [.apply(change)] + holds
        case .admitted: return [.apply(change)] + holds
        case .standing:
            // What is being read may be from before, and news of two changes may come in another order.
            isOutdated = true
            if policy.isShared, refreshDue == nil { refreshDue = now + Self.reorderingTime }
            return [.apply(change)] + holds
        case .expelled:
            // A user that was put out and let in again at about the same time is what the store says.
            if policy.isShared, refreshDue == nil { refreshDue = now + Self.reorderingTime }
            return [.apply(change)] + holds
        case .deleted: return [.close] + holds
        case .contentErased: return [.apply(change)] + refresh(for: notice, at: now)
        case .unspecified: return refresh(for: notice, at: now)
        }
    }

    private mutating func refresh(for notice: ChangeNotice?, at now: Moment) -> [Action] {
        if let notice { return refresh(for: .change(notice), at: now) }
        pending.isRoom = true
        return beginRefresh(at: now)
    }

    // MARK: Closing

    /// The room was ended here, as `close` asked for.
    ///
    /// - Parameter isWriting: the store has not answered the last write.
    public mutating func didClose(isWriting: Bool, at now: Moment) -> [Action] {
        guard isOpen else { return [] }
        let reasons = (request?.askers.reasons ?? []) + pending.reasons
        waiting = (verifying ?? []) + waiting
        (verifying, request, refreshDue) = (nil, nil, nil)
        pending = Askers()
        phase = .closing
        if isWriting, !waiting.isEmpty { closingDeadline = now + policy.storeTimeout }
        return reasons.map { .resume($0) } + (isWriting ? [] : didFinishLastWrite())
    }

    /// The store has answered the last write of a deleted room: the id is free for another room.
    public mutating func didFinishLastWrite() -> [Action] {
        guard isClosing else { return [] }
        phase = .closed
        closingDeadline = nil
        return [.forget] + takeWaiting().map { .dispatch($0) }
    }

    // MARK: Time

    /// When `tick` has something to do.
    public var deadline: Moment? {
        (request?.deadline).orEarlier(refreshDue).orEarlier(closingDeadline).orEarlier(commandsDue)
    }

    /// When the first command has waited too long. While one creates the room, the store's answer decides about all.
    private var commandsDue: Moment? {
        guard verifying != nil || !waiting.isEmpty else { return nil }
        return switch phase {
        case .missing, .creating: nil
        default: Self.earliest(of: verifying ?? []).orEarlier(Self.earliest(of: waiting))
        }
    }

    private static func earliest(of commands: [Waiting]) -> Moment? { commands.lazy.map { $0.deadline }.min() }

    public mutating func tick(at now: Moment) -> [Action] {
        var actions: [Action] = []
        if let request, request.deadline <= now { actions += giveUp(request, at: now) }
        if let due = refreshDue, due <= now {
            refreshDue = nil
            pending.isRoom = true
            actions += beginRefresh(at: now)
        }
        if let due = closingDeadline, due <= now {
            closingDeadline = nil
            actions += takeWaiting().map { .refuse($0, .storageUnavailable) }
        }
        if let due = commandsDue, due <= now { actions += refuseOverdue(at: now) }
        return actions
    }

    private mutating func refuseOverdue(at now: Moment) -> [Action] {
        let overdue = ((verifying ?? []) + waiting).filter { $0.deadline <= now }
        verifying?.removeAll { $0.deadline <= now }
        waiting.removeAll { $0.deadline <= now }
        return overdue.map { each in
            isOpen && each.command.isAlwaysAllowed
                ? .execute(each.command) : .refuse(each.command, .storageUnavailable)
        }
    }

    private mutating func takeWaiting() -> [Command] {
        defer { waiting = [] }
        return waiting.map { $0.command }
    }

    private mutating func giveUp(_ request: Request, at now: Moment) -> [Action] {
        let failure = StoreError.unavailable(reason: "no answer in time")
        if case .creating = phase { return didCreate(number: request.number, .failure(failure), at: now) }
        return didRead(number: request.number, .failure(failure), at: now)
    }
}
