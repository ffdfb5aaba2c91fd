import ChatProtocol
import ChatDomain
import JSON
import Telemetry

/// Rooms across instances: live traffic comes over the bus, the truth from the store.
extension RoomHub {
    /// Rooms compared with the store in one go.
    private static let checkSlice = 50
    /// Rooms whose rosters are told in one turn.
    private static let rosterSlice = 100

    // MARK: Telling

    func publish(_ messages: [Message], in room: HomeRoom) {
        services.cache?.append(messages, to: room.id)
        guard let bus = services.bus else { return }
        bus.publish(messages.map { (room.id, encode(.message($0), in: room)) })
    }

    func share(_ news: RoomNews, in room: HomeRoom) {
        switch news {
        case .joined(let user): services.presence.directory.setPresent(user.userID, in: room.id, true)
        case .left(let user): services.presence.directory.setPresent(user, in: room.id, false)
        default: break
        }
        // Nobody else has the room who did not hear of it by subscribing; who is alone tells nobody.
        guard let bus = services.bus else { return }
        bus.publish([(room.id, encode(news, in: room))])
    }

    private func encode(_ news: RoomNews, in room: HomeRoom) -> [UInt8] {
        RoomNewsCodec.encode(news, from: services.configuration.instance, in: room.id)
    }

    /// Traffic is wanted while sessions here receive it or are about to, or watch who takes part.
    func updateSubscription(_ room: HomeRoom) {
        let isWanted = !room.audience.isEmpty || !room.arriving.isEmpty || !room.watchers.isEmpty
        guard room.isSubscribed != isWanted else { return }
        room.isSubscribed = isWanted
        services.metrics.rooms.add(room.isSubscribed ? 1 : -1)
        guard let bus = services.bus else { return }
        if room.isSubscribed { bus.subscribe(room.id) } else { bus.unsubscribe(room.id) }
    }

    // MARK: Hearing

    func receive(_ payload: [UInt8], in id: RoomID) {
        guard let room = rooms[id], room.live != nil else { return }
        let news: (InstanceID, RoomNews)? = payload.withUnsafeBytes { bytes in
            guard let root = try? newsParser.parse(bytes) else { return nil }
            return RoomNewsCodec.decode(root, in: id)
        }
        guard let (instance, news) = news else {
            services.metrics.foreignNews.add()
            return services.busTrouble.warning("room news not understood", ["room": id.value])
        }
        guard instance != services.configuration.instance else { return }
        perform(room.live?.receive(news, from: instance, at: context.now.monotonic) ?? [], in: room)
        if case .roster = news { noteRoster(of: instance, in: room) }
        followUp(room)
    }

    /// The subscription stands. What was stored before that may have gone by unheard.
    func subscribed(_ id: RoomID) {
        guard let room = rooms[id], room.isSubscribed else { return }
        perform(room.live?.contactMade(at: context.now.monotonic) ?? [], in: room)
        countOthers(in: room)
        followUp(room)
        // Who waits to be shown the room is shown what it is now, not what it was when it was loaded.
        refresh(room) { [unowned self] _ in admitArrivalsWhenAllAnswered(to: room) }
    }

    /// Contact was lost and is there again: every live room is compared with the store.
    func reconnected() {
        let live = rooms.values.filter { $0.isSubscribed && $0.live != nil }
        for room in live {
            perform(room.live?.contactMade(at: context.now.monotonic) ?? [], in: room)
            followUp(room)
        }
        check(live.map(\.id)[...])
        refresh(live.map(\.id)[...])
    }

    /// An instance is dead: its users are gone, and what it stored last may never have been told.
    func lost(_ instance: InstanceID) {
        let live = rooms.values.filter { $0.live != nil }
        for room in live {
            perform(room.live?.lost(instance, at: context.now.monotonic) ?? [], in: room)
            followUp(room)
        }
        check(live.map(\.id)[...])
    }

    // MARK: Comparing with the store

    /// Looks for the last message of rooms gone quiet: the one loss that no later message uncovers.
    func sweep() {
        guard services.bus != nil else { return }
        let live = rooms.values.filter { $0.isSubscribed && $0.live != nil }.map(\.id)[...]
        check(live)
        compareRosters(of: live)
    }

    /// A slice at a time, with a pause between: nobody waits for it.
    private func compareRosters(of ids: ArraySlice<RoomID>) {
        guard !ids.isEmpty else { return }
        for id in ids.prefix(Self.rosterSlice) {
            guard let room = rooms[id] else { continue }
            perform(room.live?.compareRosters(at: context.now.monotonic) ?? [], in: room)
            followUp(room)
        }
        context.loop.schedule(after: .milliseconds(20)) { [unowned self] in
            compareRosters(of: ids.dropFirst(Self.rosterSlice))
        }
    }

    /// One slice after the other: all at once would take the store's threads from those who want to store. What is left when
    /// the store fails is looked at with the next sweep.
    private func check(_ ids: ArraySlice<RoomID>) {
        let slice = Array(ids.prefix(Self.checkSlice))
        guard !slice.isEmpty else { return }
        let delivered = slice.map { rooms[$0]?.live?.lastSequence ?? 0 }
        context.withStore({ (store) async throws(StoreError) in try await store.lastSequences(of: slice) }) {
            [unowned self] result in
            guard let newest = try? result.get() else { return }
            for (id, delivered) in zip(slice, delivered) {
                let sequence = newest[id] ?? 0
                if sequence < delivered, let room = rooms[id] { doubt(room) } else { announced(sequence, in: id) }
            }
            check(ids.dropFirst(slice.count))
        }
    }

    /// Reads what rooms are now, one after the other: a change made elsewhere while nobody listened is not told again.
    private func refresh(_ ids: ArraySlice<RoomID>) {
        var rest = ids
        guard let id = rest.popFirst() else { return }
        guard let room = rooms[id], room.live != nil else { return refresh(rest) }
        refresh(room) { [unowned self] _ in refresh(rest) }
    }

    func announced(_ sequence: SequenceNumber, in id: RoomID) {
        guard let room = rooms[id] else { return }
        room.live?.announced(lastSequence: sequence, at: context.now.monotonic)
        followUp(room)
    }
}
