import ChatDomain
import Synchronization

/// Where the buses of instances that share one process meet.
public final class InProcessExchange: Sendable {
    private struct Attachment {
        let instance: InstanceID
        var rooms: Set<RoomID> = []
        let deliver: @Sendable (RoomBusEvent) -> Void
    }

    private let attachments = Mutex<[ObjectIdentifier: Attachment]>([:])

    public init() {}

    func attach(_ bus: InProcessRoomBus, as instance: InstanceID, deliver: @escaping @Sendable (RoomBusEvent) -> Void) {
        attachments.withLock { $0[ObjectIdentifier(bus)] = Attachment(instance: instance, deliver: deliver) }
        deliver(.reconnected)
    }

    func detach(_ bus: InProcessRoomBus) {
        _ = attachments.withLock { $0.removeValue(forKey: ObjectIdentifier(bus)) }
    }

    // These methods deliver under the lock, so that all instances get a room's events in one order. Delivering only queues.

    func subscribe(_ bus: InProcessRoomBus, to room: RoomID) {
        attachments.withLock { attachments in
            _ = attachments[ObjectIdentifier(bus)]?.rooms.insert(room)
            attachments[ObjectIdentifier(bus)]?.deliver(.subscribed(room))
        }
    }

    func unsubscribe(_ bus: InProcessRoomBus, from room: RoomID) {
        _ = attachments.withLock { $0[ObjectIdentifier(bus)]?.rooms.remove(room) }
    }

    func listeners(of room: RoomID) -> Int {
        attachments.withLock { attachments in attachments.values.count { $0.rooms.contains(room) } }
    }

    func publish(_ items: [(room: RoomID, payload: [UInt8])], from publisher: InstanceID) {
        attachments.withLock { attachments in
            for attachment in attachments.values where attachment.instance != publisher {
                for item in items where attachment.rooms.contains(item.room) {
                    attachment.deliver(.received(item.room, payload: item.payload))
                }
            }
        }
    }
}
