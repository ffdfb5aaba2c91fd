import ChatProtocol

/// How many live sessions of a room each shard has, by encoding: who must be sent to, and in which forms.
struct Audience {
    private var counts: [UInt16: [Int]] = [:]

    var isEmpty: Bool { counts.isEmpty }
    var shards: some Collection<UInt16> { counts.keys }

    mutating func add(shard: UInt16, _ encoding: FrameEncoding) {
        counts[shard, default: Array(repeating: 0, count: FrameEncoding.allCases.count)][encoding.rawValue] += 1
        if !encodings.contains(encoding) { updateEncodings() }
    }

    mutating func remove(shard: UInt16, _ encoding: FrameEncoding) {
        guard var row = counts[shard], row[encoding.rawValue] > 0 else { return }
        row[encoding.rawValue] -= 1
        counts[shard] = row.allSatisfy { $0 == 0 } ? nil : row
        if row[encoding.rawValue] == 0 { updateEncodings() }
    }

    /// The encodings anybody needs. Asked for by every broadcast, changed by comings and goings.
    private(set) var encodings: [FrameEncoding] = []

    private mutating func updateEncodings() {
        encodings = FrameEncoding.allCases.filter { encoding in counts.values.contains { $0[encoding.rawValue] > 0 } }
    }
}
