/// Which primary serves each slot of a cluster, as a server said. A value; replies are input.
struct SlotMap: Equatable, Sendable {
    /// Primaries of one map. A reply that names more is refused, so that a server cannot make the client open connections
    /// without a limit.
    static let maximumNodes = 256
    private static let uncovered = UInt16.max

    private(set) var nodes: [RedisAddress] = []
    /// For each slot the index of its node.
    private var owners = [UInt16](repeating: Self.uncovered, count: HashSlot.count)

    /// Reads the reply to `CLUSTER SLOTS`; nil for anything else.
    ///
    /// - Parameter asked: the server that replied. A server that does not know its own address leaves it out.
    init?(_ reply: RedisValue, from asked: RedisAddress) {
        guard let ranges = reply.array, ranges.count <= HashSlot.count else { return nil }
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer.flatMap({ HashSlot($0) }),
                let last = parts[1].integer.flatMap({ HashSlot($0) }), first.number <= last.number,
                let address = Self.address(parts[2], from: asked), let index = index(of: address)
            else { return nil }
            for slot in first.number...last.number { owners[Int(slot)] = index }
        }
    }

    func owner(of slot: HashSlot) -> RedisAddress? {
        let index = Int(owners[Int(slot.number)])
        return nodes.indices.contains(index) ? nodes[index] : nil
    }

    /// A server said that a slot is at another node.
    ///
    /// - Returns: false where the map has no room for the node.
    mutating func move(_ slot: HashSlot, to address: RedisAddress) -> Bool {
        guard let index = index(of: address) else { return false }
        owners[Int(slot.number)] = index
        return true
    }

    /// The ranges of slots that fulfil a condition on their owner, for operators: `0-5460, 9000`.
    func ranges(where isIncluded: (RedisAddress?) -> Bool) -> [ClosedRange<Int>] {
        let verdicts = nodes.map(isIncluded)
        let uncovered = isIncluded(nil)
        var ranges: [ClosedRange<Int>] = []
        for (slot, owner) in owners.enumerated() {
            guard verdicts.indices.contains(Int(owner)) ? verdicts[Int(owner)] : uncovered else { continue }
            if let last = ranges.last, last.upperBound == slot - 1 {
                ranges[ranges.count - 1] = last.lowerBound...slot
            } else {
                ranges.append(slot...slot)
            }
        }
        return ranges
    }

    private mutating func index(of address: RedisAddress) -> UInt16? {
        if let index = nodes.firstIndex(of: address) { return UInt16(index) }
        guard nodes.count < Self.maximumNodes else { return nil }
        nodes.append(address)
        return UInt16(nodes.count - 1)
    }

    private static func address(_ value: RedisValue, from asked: RedisAddress) -> RedisAddress? {
        guard let parts = value.array, parts.count >= 2, let port = parts[1].integer.flatMap({ UInt16(exactly: $0) }),
            port > 0
        else { return nil }
        if parts[0].isNull { return RedisAddress(host: asked.host, port: port) }
        guard let host = parts[0].text, host != "?", host.utf8.count <= 253 else { return nil }
        return RedisAddress(host: host.isEmpty ? asked.host : host, port: port)
    }
}
