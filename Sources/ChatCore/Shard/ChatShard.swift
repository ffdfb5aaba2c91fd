import ChatDomain
import Crypto

/// One event loop's share of the chat: the sessions that live on it, and the rooms at home on it.
///
/// It is confined to its loop and never sees a socket: channels bring what clients send, `LoopContext` the time.
package final class ChatShard {
    package let context: ShardContext
    package let sessions: SessionRegistry
    private let rooms: RoomHub
    /// Between two looks at what may be forgotten.
    private static let sweepInterval: Duration = .seconds(30)
    /// Between two looks at which instances live. A dead one is passed over sooner, because it answers nothing.
    private static let instancesInterval: Duration = .seconds(1)
    /// The live instances as the shards know them.
    private var instances: Set<InstanceID> = []
    /// Between two writes of when users were last seen.
    private static let lastSeenInterval: Duration = .seconds(1)

    package init(context: ShardContext) {
        self.context = context
        sessions = SessionRegistry(context: context)
        rooms = RoomHub(context: context, seed: SecureRandom.uint64())
    }

    /// Begins what is done again and again.
    package func start() {
        sweepPeriodically()
        sessions.watchIdleness()
        // One shard writes for the whole instance.
        if context.index == 0 { storeLastSeenPeriodically() }
        guard context.services.bus != nil else { return }
        sessions.watchers.friendPoller.begin()
        if context.index == 0 { watchInstances() }
    }

    /// Tells all shards which instances live, again and again: rooms are numbered by one of them.
    private func watchInstances() {
        let services = context.services
        context.loop.run({ await services.presence.directory.others() }) { [weak self] others in
            guard let self else { return }
            if let others { services.notices.sawLeases(of: others) }
            let instances = others.map { $0.union([services.configuration.instance]) } ?? []
            if instances != self.instances {
                self.instances = instances
                services.broadcast(.instances(instances))
            }
            context.loop.schedule(after: Self.instancesInterval) { [weak self] in self?.watchInstances() }
        }
    }

    private func sweepPeriodically() {
        rooms.sweep()
        context.services.sweep(at: context.now.monotonic)
        context.loop.schedule(after: Self.sweepInterval) { [weak self] in self?.sweepPeriodically() }
    }

    private func storeLastSeenPeriodically() {
        context.loop.schedule(after: Self.lastSeenInterval) { [weak self] in
            guard let self else { return }
            context.loop.run({ [presence = context.services.presence] in await presence.flush() }) { [weak self] in
                self?.storeLastSeenPeriodically()
            }
        }
    }

    /// Hands the store what the rooms gathered in this turn. Called when no message waits any more.
    package func submitWrites() { rooms.submitWrites() }

    /// Called once a turn, after everything else.
    package func endTurn() { context.slices.endTurn() }

    package func dispatch(_ message: ShardMessage) {
        switch message {
        case .room(let room, let command): rooms.dispatch(command, in: room)
        case .committed(let outcomes): rooms.committed(outcomes)
        case .forward(let ticket, let write): rooms.committer.receivedForward(ticket, write)
        case .outcome(let ticket, let outcome): rooms.committer.receivedOutcome(ticket, outcome)
        case .progress(let ticket): rooms.committer.receivedProgress(ticket)
        case .instances(let instances): rooms.committer.setInstances(instances)
        case .received(let room, let payload): rooms.receive(payload, in: room)
        case .subscribed(let room): rooms.subscribed(room)
        case .reconnected: rooms.reconnected()
        case .lost(let instance): rooms.lost(instance)
        case .roomChanged(let room, let change, let notice): rooms.follow(change, in: room, notice)
        case .unwatched(let room, let shard): rooms.unwatch(room, on: shard)
        case .reply(let address, let request, let reply): sessions[address]?.answered(request, reply)
        case .entered(let address, let request, let room, let view): sessions[address]?.entered(request, room, view)
        case .announcement(let room, let announcement): sessions.announce(announcement, in: room)
        case .messages(let room, let frames, let numbers, let since):
            sessions.deliver(frames, numbers, in: room, takenAt: since)
        case .expelled(let address, let room, let error): sessions[address]?.expelled(from: room, error)
        case .direct(let addresses, let frames): sessions.sendDirect(frames, to: addresses)
        case .notice(let addresses, let frames): sessions.notify(addresses, frames)
        case .close(let address, let code, let error): sessions.close(address, code, error)
        case .end(let session, let user, let ending): sessions.end(session, of: user, ending)
        case .ban(let address): sessions[address]?.presence.logOut(.banned, .forbidden)
        case .answer(.call(let ticket)): context.services.calls.answer(ticket, .done)
        case .answer(.session): break
        case .blocks(let user, let hidden, let shown): sessions.watchers.blocks(of: user, hidden: hidden, shown: shown)
        case .loaded(let address): sessions[address]?.presence.didLoad()
        case .presence(let edges): sessions.received(edges)
        case .visibility(let user): sessions.refreshVisibility(of: user)
        case .surveySessions(let query, let done): SessionSurvey(query, in: sessions, done: done).proceed()
        case .surveyRooms(let query, let done): RoomSurvey(query, in: sessions, done: done).proceed()
        case .watched(let room, let state): sessions.watchers.changed(room, state)
        case .friendship(let a, let b, let isFriend): sessions.watchers.receivedFriendship(a, b, isFriend: isFriend)
        }
    }
}
