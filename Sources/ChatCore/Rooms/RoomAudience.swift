import ChatDomain
import ChatProtocol

/// The sessions that receive a room's traffic, and how many of them each shard has by encoding: which shards are sent to, and in
/// which forms. A session enters once it was shown the room.
struct RoomAudience {
    private var sessions: [SessionAddress: FrameEncoding] = [:]
    private var counts: [UInt16: [Int]] = [:]
    /// The encodings in use. Asked for by every broadcast, changed when sessions come and go.
    private(set) var encodings: [FrameEncoding] = []

    var isEmpty: Bool { sessions.isEmpty }
    var shards: some Collection<UInt16> { counts.keys }

    func contains(_ session: SessionAddress) -> Bool { sessions[session] != nil }

    /// Adds a session, or changes its encoding.
    mutating func insert(_ session: SessionAddress, _ encoding: FrameEncoding) {
        remove(session)
        sessions[session] = encoding
        let none = Array(repeating: 0, count: FrameEncoding.allCases.count)
        counts[session.shard, default: none][encoding.rawValue] += 1
        if !encodings.contains(encoding) { updateEncodings() }
    }

    mutating func remove(_ session: SessionAddress) {
        guard let encoding = sessions.removeValue(forKey: session), var row = counts[session.shard] else { return }
        row[encoding.rawValue] -= 1
        counts[session.shard] = row.allSatisfy { $0 == 0 } ? nil : row
        if row[encoding.rawValue] == 0 { updateEncodings() }
    }

    private mutating func updateEncodings() {
        encodings = FrameEncoding.allCases.filter { encoding in counts.values.contains { $0[encoding.rawValue] > 0 } }
    }
}
