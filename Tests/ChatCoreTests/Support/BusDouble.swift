import ChatDomain
import JSON
import Synchronization

/// The buses of the instances of a test. A publication arrives at once, on the thread of its publisher.
final class BusExchange: Sendable {
    private struct State {
        var handlers: [InstanceID: @Sendable (RoomBusEvent) -> Void] = [:]
        var rooms: [InstanceID: Set<RoomID>] = [:]
        var published: [(from: InstanceID, room: RoomID, payload: [UInt8])] = []
        var isLosing = false
        var holdsSubscriptions = false
        var held: [(InstanceID, RoomID)] = []
        /// Subscribers that belong to no instance of the test.
        var strangers = 0
    }

    private let state = Mutex(State())

    // MARK: What tests say and see

    /// From now on publications are lost, or not any more.
    func lose(_ isLosing: Bool) { state.withLock { $0.isLosing = isLosing } }

    /// From now on subscriptions stand only after `releaseSubscriptions`.
    func holdSubscriptions() { state.withLock { $0.holdsSubscriptions = true } }

    func releaseSubscriptions() {
        let held = state.withLock { state in
            defer { (state.held, state.holdsSubscriptions) = ([], false) }
            return state.held
        }
        for (instance, room) in held { emit(.subscribed(room), to: instance) }
    }

    func setStrangers(_ count: Int) { state.withLock { $0.strangers = count } }

    func emit(_ event: RoomBusEvent, to instance: InstanceID) { state.withLock { $0.handlers[instance] }?(event) }

    /// The publications in a room, by type and data.
    func published(in room: String) -> [(type: String, data: JSONValue)] {
        state.withLock { $0.published }.filter { $0.room.value == room }.compactMap { each in
            guard let root = try? JSONValue(parsing: each.payload), let type = root["type"]?.string else { return nil }
            return (type, root["data"] ?? .null)
        }
    }

    func isSubscribed(_ instance: String, to room: String) -> Bool {
        state.withLock { $0.rooms[InstanceID(instance)]?.contains(RoomID(unchecked: room)) == true }
    }

    // MARK: What buses do

    fileprivate func attach(_ instance: InstanceID, _ handler: @escaping @Sendable (RoomBusEvent) -> Void) {
        state.withLock { $0.handlers[instance] = handler }
    }

    fileprivate func subscribe(_ instance: InstanceID, to room: RoomID) {
        let stands = state.withLock { state in
            state.rooms[instance, default: []].insert(room)
            if state.holdsSubscriptions { state.held.append((instance, room)) }
            return !state.holdsSubscriptions
        }
        if stands { emit(.subscribed(room), to: instance) }
    }

    fileprivate func unsubscribe(_ instance: InstanceID, from room: RoomID) {
        state.withLock { _ = $0.rooms[instance]?.remove(room) }
    }

    fileprivate func publish(_ items: [(room: RoomID, payload: [UInt8])], from instance: InstanceID) {
        for (room, payload) in items {
            let receivers = state.withLock { state in
                state.published.append((instance, room, payload))
                return state.isLosing
                    ? [] : state.rooms.filter { $0.key != instance && $0.value.contains(room) }.map(\.key)
            }
            for receiver in receivers { emit(.received(room, payload: payload), to: receiver) }
        }
    }

    fileprivate func listeners(of room: RoomID) -> Int {
        state.withLock { state in state.strangers + state.rooms.values.count { $0.contains(room) } }
    }

    fileprivate func detach(_ instance: InstanceID) {
        state.withLock { state in
            state.handlers[instance] = nil
            state.rooms[instance] = nil
        }
    }
}

/// One instance's bus.
final class BusDouble: RoomBus {
    private let instance: InstanceID
    private let exchange: BusExchange

    init(_ instance: InstanceID, on exchange: BusExchange) {
        self.instance = instance
        self.exchange = exchange
    }

    func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void) { exchange.attach(instance, handler) }
    func subscribe(_ room: RoomID) { exchange.subscribe(instance, to: room) }
    func unsubscribe(_ room: RoomID) { exchange.unsubscribe(instance, from: room) }
    func publish(_ items: [(room: RoomID, payload: [UInt8])]) { exchange.publish(items, from: instance) }
    func listeners(of room: RoomID) async -> Int? { exchange.listeners(of: room) }
    func close() async { exchange.detach(instance) }
}
