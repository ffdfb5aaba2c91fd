/// One of the 16,384 parts of a cluster's keys.
struct HashSlot: Hashable, Sendable {
    static let count = 16_384

    let number: UInt16

    /// nil for a number past the last slot.
    init?(_ number: some BinaryInteger) {
        guard let number = UInt16(exactly: number), number < Self.count else { return nil }
        self.number = number
    }

    /// The slot of a key, by the Redis Cluster specification, "Key distribution model". Of a key with a tag in braces only the tag
    /// counts.
    init(of key: some BidirectionalCollection<UInt8>) {
        number = Self.crc16(Self.hashed(key)) % UInt16(Self.count)
    }

    /// What is between the first `{` and the first `}` behind it, unless that is empty; else the whole key.
    private static func hashed<Key: BidirectionalCollection<UInt8>>(_ key: Key) -> Key.SubSequence {
        guard let opening = key.firstIndex(of: UInt8(ascii: "{")) else { return key[...] }
        let tag = key[key.index(after: opening)...].prefix { $0 != UInt8(ascii: "}") }
        return tag.isEmpty || tag.endIndex == key.endIndex ? key[...] : tag
    }

    /// CRC-16/XMODEM: polynomial 0x1021, begins with 0.
    static func crc16(_ bytes: some Sequence<UInt8>) -> UInt16 {
        bytes.reduce(0) { crc, byte in crc << 8 ^ table[Int(crc >> 8 ^ UInt16(byte))] }
    }

    private static let table: [UInt16] = (0..<256).map { index in
        (0..<8).reduce(UInt16(index) << 8) { crc, _ in crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
    }
}
