import ChatDomain
import ChatProtocol

/// The sessions that receive a room's traffic, and how many of them each shard has by encoding: which shards are sent to, and in
/// which forms. A session enters once it was shown the room.
struct RoomAudience {
    /// The sessions of one shard that take one encoding.
    private struct Group {
        let shard: UInt16
        let encoding: FrameEncoding
        var count: Int
    }

    private var sessions: [SessionAddress: FrameEncoding] = [:]
    private var groups: [Group] = []
    /// The shards and encodings in use. Asked for by every broadcast, changed when sessions come and go.
    private(set) var shards: [UInt16] = []
    private(set) var encodings: [FrameEncoding] = []

    var isEmpty: Bool { sessions.isEmpty }

    func contains(_ session: SessionAddress) -> Bool { sessions[session] != nil }

    /// Adds a session, or changes its encoding.
    mutating func insert(_ session: SessionAddress, _ encoding: FrameEncoding) {
        remove(session)
        sessions[session] = encoding
        if let index = index(of: session.shard, encoding) {
            groups[index].count += 1
        } else {
            groups.append(Group(shard: session.shard, encoding: encoding, count: 1))
            groupsChanged()
        }
    }

    mutating func remove(_ session: SessionAddress) {
        guard let encoding = sessions.removeValue(forKey: session), let index = index(of: session.shard, encoding)
        else { return }
        groups[index].count -= 1
        guard groups[index].count == 0 else { return }
        groups.remove(at: index)
        groupsChanged()
    }

    private func index(of shard: UInt16, _ encoding: FrameEncoding) -> Int? {
        groups.firstIndex { $0.shard == shard && $0.encoding == encoding }
    }

    private mutating func groupsChanged() {
        shards = Set(groups.map(\.shard)).sorted()
        encodings = FrameEncoding.allCases.filter { encoding in groups.contains { $0.encoding == encoding } }
    }
}
