import ChatDomain
import ChatProtocol
import JSON
import Synchronization
import Telemetry

/// The rooms at home on one shard: brings them what is meant for them, stores what they gather, compares them with the store.
final class RoomHub {
    /// Rooms that one read compares with the store.
    private static let comparedAtOnce = 50
    /// Rooms whose rosters are compared in one turn.
    private static let rostersPerTurn = 100

    private let context: ShardContext
    private let services: Services
    /// For what other instances publish.
    private let newsParser = JSONParser(maximumDepth: RoomNewsCodec.maximumDepth)
    private var rooms: [RoomID: HomeRoom] = [:]
    /// Rooms with something to store, in the order they came by it.
    private var unwritten: [HomeRoom] = []
    /// Rooms to read again since contact with other instances was lost, and whether one is being read.
    private var unrefreshed: [RoomID] = []
    private var isRefreshing = false
    /// Parts of the last sweep that have not ended. With very many rooms a sweep takes longer than the time to the next one.
    private var sweepsUnderWay = 0
    private var messageIDs: MessageIDGenerator
    /// The weight of drafts that wait for the store, in bytes; each room keeps its part of it up to date.
    var pendingBytes = 0

    private(set) lazy var committer = RoomCommitter(context: context) { [unowned self] outcome in
        rooms[outcome.roomID]?.committed(outcome)
    }

    init(context: ShardContext, seed: UInt64) {
        self.context = context
        services = context.services
        messageIDs = MessageIDGenerator(seed: seed)
    }

    // MARK: Rooms

    func dispatch(_ command: RoomCommand, in id: RoomID) {
        if let room = rooms[id] { return room.receive(command) }
        let room = HomeRoom(id: id, hub: self, context: context)
        rooms[id] = room
        room.receive(command)
    }

    /// How long a room that is not used is kept in memory. With other instances about it is short: what they change in a room
    /// without members here is not heard of.
    var idleTime: Duration { services.bus == nil ? .seconds(30) : .seconds(1) }

    func forget(_ room: HomeRoom) {
        if rooms[room.id] === room { rooms[room.id] = nil }
    }

    func nextMessageID(at time: Timestamp) -> MessageID { messageIDs.next(at: time) }

    func unwatch(_ id: RoomID, on shard: UInt16) { rooms[id]?.unwatch(by: shard) }

    // MARK: Changes

    /// The store has changed the room, on behalf of whatever instance.
    func follow(_ change: RoomChange, in id: RoomID, _ notice: ChangeNotice?) {
        switch change {
        // A room that is made again may reach the numbers that it had.
        case .contentErased, .deleted: services.noteErasure()
        default: break
        }
        guard let room = rooms[id] else {
            if let notice { acknowledge(notice) }
            return
        }
        room.follow(change, notice)
    }

    /// The change holds here.
    func acknowledge(_ notice: ChangeNotice) {
        let answer = InstanceMessage.changeApplied(notice.ticket, by: services.configuration.instance)
        services.presence.directory.send(answer.encoded, to: notice.teller)
    }

    // MARK: Storing

    func queueForWriting(_ room: HomeRoom) { unwritten.append(room) }

    /// How often the store failed.
    var storeFailures: UInt64 { services.storeFailures.load(ordering: .relaxed) }

    /// Hands the store what the rooms gathered in this turn.
    func submitWrites() {
        guard !unwritten.isEmpty else { return committer.flush() }
        let failures = storeFailures
        var doubtful: [HomeRoom] = []
        let writes = unwritten.compactMap { room -> RoomWrite? in
            switch room.submit(storeFailures: failures) {
            case .nothing: return nil
            case .write(let write): return write
            case .compare:
                doubtful.append(room)
                return nil
            }
        }
        unwritten.removeAll(keepingCapacity: true)
        compare(doubtful[...])
        committer.submit(writes)
        committer.flush()
    }

    func committed(_ outcomes: [RoomWriteOutcome]) { committer.committed(outcomes) }

    /// Looks whether the store has what was delivered of these rooms. They are not written to meanwhile.
    func compare(_ rooms: ArraySlice<HomeRoom>) {
        guard !rooms.isEmpty else { return }
        let failures = storeFailures
        let compared = rooms.prefix(Self.comparedAtOnce).compactMap { room in
            room.beginComparison(storeFailures: failures).map { (room: room, number: $0) }
        }
        let ids = compared.map(\.room.id)
        if !ids.isEmpty {
            context.withStore({ (store) async throws(StoreError) in try await store.lastSequences(of: ids) }) {
                result in
                let newest = try? result.get()
                for (room, number) in compared {
                    room.didCompare(number, newest: newest.map { $0[room.id] ?? 0 })
                }
            }
        }
        compare(rooms.dropFirst(Self.comparedAtOnce))
    }

    // MARK: Other instances

    func receive(_ payload: [UInt8], in id: RoomID) {
        guard let room = rooms[id], room.isOpen else { return }
        let news: (InstanceID, RoomNews)? = payload.withUnsafeBytes { bytes in
            guard let root = try? newsParser.parse(bytes) else { return nil }
            return RoomNewsCodec.decode(root, in: id)
        }
        guard let (instance, news) = news else {
            services.metrics.foreignNews.add()
            return services.busTrouble.warning("room news not understood", ["room": id.value])
        }
        if instance != services.configuration.instance { room.receive(news, from: instance) }
    }

    func subscribed(_ id: RoomID) { rooms[id]?.subscribed() }

    /// Contact was lost and is there again: every live room is compared with the store.
    func reconnected() {
        let live = rooms.values.filter { $0.isSubscribed && $0.isOpen }
        for room in live { room.contactMade() }
        check(live.map(\.id)[...])
        unrefreshed = live.map(\.id)
        if !isRefreshing { refreshNext() }
    }

    /// An instance is dead: its users are gone, and what it stored last may never have been published.
    func lost(_ instance: InstanceID) {
        let live = rooms.values.filter(\.isOpen)
        for room in live { room.lost(instance) }
        check(live.map(\.id)[...])
    }

    /// Reads what rooms are now, one after the other: a change made elsewhere while this instance heard nothing is not told
    /// again.
    func refreshNext() {
        isRefreshing = false
        while let id = unrefreshed.popLast() {
            guard let room = rooms[id], room.isOpen else { continue }
            isRefreshing = true
            return room.refresh()
        }
    }

    // MARK: Sweeping

    /// Looks for the last message of rooms gone quiet: the one loss that no later message uncovers.
    func sweep() {
        guard services.bus != nil, sweepsUnderWay == 0 else { return }
        let live = rooms.values.filter { $0.isSubscribed && $0.isOpen }.map(\.id)[...]
        sweepsUnderWay = 2
        check(live) { [unowned self] in sweepsUnderWay -= 1 }
        compareRosters(of: live) { [unowned self] in sweepsUnderWay -= 1 }
    }

    /// A slice at a time, with a pause between, as no request waits for it.
    private func compareRosters(of ids: ArraySlice<RoomID>, then end: @escaping () -> Void) {
        guard !ids.isEmpty else { return end() }
        for id in ids.prefix(Self.rostersPerTurn) { rooms[id]?.compareRosters() }
        context.loop.schedule(after: .milliseconds(20)) { [unowned self] in
            compareRosters(of: ids.dropFirst(Self.rostersPerTurn), then: end)
        }
    }

    /// One slice after the other: all at once would take the store's threads from writes. Rooms left when the store fails
    /// are checked by the next sweep.
    private func check(_ ids: ArraySlice<RoomID>, then end: @escaping () -> Void = {}) {
        let slice = Array(ids.prefix(Self.comparedAtOnce))
        guard !slice.isEmpty else { return end() }
        let delivered = slice.map { rooms[$0]?.lastSequence ?? 0 }
        context.withStore({ (store) async throws(StoreError) in try await store.lastSequences(of: slice) }) {
            [unowned self] result in
            guard let newest = try? result.get() else { return end() }
            for (id, delivered) in zip(slice, delivered) {
                rooms[id]?.didSweep(delivered: delivered, newest: newest[id] ?? 0)
            }
            check(ids.dropFirst(slice.count), then: end)
        }
    }
}
