import ChatDomain
import Dispatch
import Synchronization

/// Room traffic between instances in one process. With an exchange of its own it is the bus of an instance that has no others.
public final class InProcessRoomBus: RoomBus {
    /// Events that may wait for the handler. Past that publications are dropped, and the handler gets a reconnect.
    private static let maximumWaiting = 65_536

    private struct Inbox {
        var waiting: [RoomBusEvent] = []
        var isDraining = false
        var isClosed = false
    }

    private let instance: InstanceID
    private let exchange: InProcessExchange
    private let inbox = Mutex(Inbox())
    private let queue = DispatchQueue(label: "room-bus")

    public init(instance: InstanceID, exchange: InProcessExchange = InProcessExchange()) {
        self.instance = instance
        self.exchange = exchange
    }

    public func start(_ handler: @escaping @Sendable (RoomBusEvent) -> Void) {
        exchange.attach(self, as: instance) { [weak self] event in self?.enqueue(event, for: handler) }
    }

    public func subscribe(_ room: RoomID) { exchange.subscribe(self, to: room) }
    public func unsubscribe(_ room: RoomID) { exchange.unsubscribe(self, from: room) }

    public func publish(_ items: [(room: RoomID, payload: [UInt8])]) { exchange.publish(items, from: instance) }

    public func listeners(of room: RoomID) async -> Int? { exchange.listeners(of: room) }

    public func close() async {
        exchange.detach(self)
        inbox.withLock { inbox in
            inbox.isClosed = true
            inbox.waiting = []
        }
        // A call of the handler that is under way ends before this returns.
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }

    private func enqueue(_ event: RoomBusEvent, for handler: @escaping @Sendable (RoomBusEvent) -> Void) {
        let mustDrain = inbox.withLock { inbox -> Bool in
            guard !inbox.isClosed else { return false }
            if inbox.waiting.count >= Self.maximumWaiting {
                inbox.waiting.removeAll {
                    if case .received = $0 { true } else { false }
                }
                inbox.waiting += [.disconnected(reason: "the handler fell behind"), .reconnected]
            }
            inbox.waiting.append(event)
            defer { inbox.isDraining = true }
            return !inbox.isDraining
        }
        if mustDrain { queue.async { self.drain(handler) } }
    }

    private func drain(_ handler: (RoomBusEvent) -> Void) {
        while true {
            let events = inbox.withLock { inbox in
                let events = inbox.waiting
                inbox.waiting = []
                inbox.isDraining = !events.isEmpty
                return events
            }
            guard !events.isEmpty else { return }
            for event in events { handler(event) }
        }
    }
}
