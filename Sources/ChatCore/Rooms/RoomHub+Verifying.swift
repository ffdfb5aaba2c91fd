import ChatDomain
import Telemetry

/// Keeping what is in memory of rooms in line with the store: changes made on other instances are followed before their
/// callers are answered, and an instance that may have missed some asks the store before it serves anything. See ADR 0019.
extension RoomHub {
    /// Where instances tell of changes in another order than the store has them, the store is asked this much later.
    private static let settlingTime: Duration = .seconds(1)

    /// Whether the command may go by what is known of the room. Who goes is let go whatever is known.
    func isCertain(_ room: HomeRoom, for command: RoomCommand) -> Bool {
        switch command {
        case .leave, .reencode: true
        default: isCurrent(room)
        }
    }

    private func isCurrent(_ room: HomeRoom) -> Bool {
        guard services.bus != nil, let readAt = room.readAt else { return true }
        return services.presence.directory.contact.vouches(for: readAt, at: context.now.monotonic)
    }

    /// Asks the store on behalf of the commands that wait now; those that come meanwhile need an answer of their own.
    func verify(_ room: HomeRoom) {
        guard !room.isVerifying else { return }
        room.isVerifying = true
        let commands = room.waiting
        room.waiting = []
        refresh(room) { [unowned self] isDone in
            room.isVerifying = false
            let later = room.waiting
            room.waiting = []
            for command in commands { goOn(with: command, in: room, isDone) }
            for command in later { dispatch(command, in: room.id) }
        }
    }

    private func goOn(with command: RoomCommand, in room: HomeRoom, _ isVerified: Bool) {
        // Deleted meanwhile: what comes behind means the next room of this id.
        guard rooms[room.id] === room, room.live != nil else { return dispatch(command, in: room.id) }
        if isVerified { return execute(command, in: room) }
        switch command {
        case .leave, .reencode: execute(command, in: room)
        default: refuse(command, .storageUnavailable)
        }
    }

    // MARK: Changes

    /// The store has changed the room, on behalf of whatever instance.
    func follow(_ change: RoomChange, in id: RoomID, _ notice: ChangeNotice?) {
        guard let room = rooms[id] else { return acknowledge(notice) }
        guard room.live != nil else {
            room.isOutdated = true
            return acknowledge(notice)
        }
        if case .unspecified = change { return refresh(room) { [unowned self] _ in acknowledge(notice) } }
        weighing(room) { apply(change, to: room) }
        followUp(room)
        acknowledge(notice)
    }

    private func acknowledge(_ notice: ChangeNotice?) {
        guard let notice else { return }
        let answer = InstanceMessage.changeApplied(notice.ticket, by: services.configuration.instance)
        services.presence.directory.send(answer.encoded, to: notice.teller)
    }

    private func apply(_ change: RoomChange, to room: HomeRoom) {
        switch change {
        case .revised(let revision, let time):
            room.changes += 1
            for user in room.live?.revise(revision, at: time) ?? [] { expel(user, from: room) }
        case .admitted(let user): room.live?.admit(user)
        case .expelled(let user):
            expel(user, from: room)
            refreshLater(room)
        case .deleted: close(room)
        case .unspecified: break
        }
    }

    /// Who was put out and let in again at about the same time is what the store says.
    private func refreshLater(_ room: HomeRoom) {
        guard services.bus != nil, !room.isRefreshDue else { return }
        room.isRefreshDue = true
        context.loop.schedule(after: Self.settlingTime) { [unowned self] in
            room.isRefreshDue = false
            refresh(room)
            followUp(room)
        }
    }

    // MARK: Asking the store

    /// Reads what the room is now, beginning after this call; `then` hears whether it could be read.
    func refresh(_ room: HomeRoom, then: @escaping (Bool) -> Void = { _ in }) {
        guard rooms[room.id] === room, room.live != nil else { return then(false) }
        room.refreshers.append(then)
        if !room.isRefreshing { beginRefresh(room) }
    }

    private func beginRefresh(_ room: HomeRoom) {
        let id = room.id
        let changes = room.changes
        let now = context.now.monotonic
        let waiting = room.refreshers
        room.refreshers = []
        room.isRefreshing = true
        room.live?.willRefresh()
        context.withStore({ (store) async throws(StoreError) in try await store.room(id) }) { [unowned self] result in
            room.isRefreshing = false
            var answered = waiting
            let isDone = (try? result.get()) != nil
            if rooms[id] !== room || room.live == nil {
                answered += room.refreshers
                room.refreshers = []
            } else if isDone, room.changes != changes {
                // What was read may be from before a change that was heard of meanwhile.
                room.refreshers = answered + room.refreshers
                answered = []
            } else {
                take(result, for: room)
                if isDone { room.readAt = now }
            }
            for then in answered { then(isDone) }
            if !room.refreshers.isEmpty { beginRefresh(room) }
            followUp(room)
        }
    }

    private func take(_ result: Result<RoomSnapshot?, StoreError>, for room: HomeRoom) {
        switch result {
        case .success(let snapshot?):
            for user in room.live?.refresh(snapshot, at: context.now.monotonic) ?? [] { expel(user, from: room) }
        case .success(nil): close(room)
        case .failure(let error):
            room.live?.failedToRefresh()
            services.storeTrouble.warning("room not read again", ["reason": "\(error)"])
        }
    }
}
