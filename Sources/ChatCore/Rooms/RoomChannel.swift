import ChatDomain
import ChatProtocol
import Telemetry

/// A room's traffic with other instances: the news sent to them, and the subscription to theirs.
final class RoomChannel {
    private let room: RoomID
    private let services: Services
    /// The traffic of other instances was asked for.
    private(set) var isSubscribed = false

    init(room: RoomID, services: Services) {
        self.room = room
        self.services = services
    }

    func setSubscribed(_ isWanted: Bool) {
        guard isSubscribed != isWanted else { return }
        isSubscribed = isWanted
        services.metrics.rooms.add(isWanted ? 1 : -1)
        if isWanted { services.bus?.subscribe(room) } else { services.bus?.unsubscribe(room) }
    }

    func publish(_ entries: [RoomLogEntry]) {
        services.cache?.append(entries, to: room)
        guard let bus = services.bus else { return }
        bus.publish(entries.map { (room, encode(news(of: $0))) })
    }

    private func news(of entry: RoomLogEntry) -> RoomNews {
        switch entry {
        case .message(let message): .message(message)
        case .change(let change): .change(change)
        }
    }

    func share(_ news: RoomNews) {
        switch news {
        case .joined(let user): services.presence.directory.setPresent(user.userID, in: room, true)
        case .left(let user): services.presence.directory.setPresent(user, in: room, false)
        case .participant(let user): services.observers.roomChanged?(.joined(room, user))
        default: break
        }
        guard let bus = services.bus else { return }
        bus.publish([(room, encode(news))])
    }

    private func encode(_ news: RoomNews) -> [UInt8] {
        RoomNewsCodec.encode(news, from: services.configuration.instance, in: room)
    }
}
