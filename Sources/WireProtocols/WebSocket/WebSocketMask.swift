/// A masking key (RFC 6455 section 5.3).
public struct WebSocketMask: Sendable, Equatable {
    /// The key's first byte is the lowest.
    let key: UInt32

    /// A mask from the key's four bytes read as a little-endian number.
    public init(key: UInt32) {
        self.key = key
    }

    /// The mask as it stands for the byte `offset` bytes into the payload.
    func advanced(by offset: Int) -> WebSocketMask {
        let bits = UInt32(truncatingIfNeeded: offset & 3) * 8
        return WebSocketMask(key: bits == 0 ? key : key >> bits | key << (32 - bits))
    }

    /// Masks or unmasks `bytes` in place, the first with the key's first byte.
    func apply(to bytes: UnsafeMutableRawBufferPointer) {
        guard key != 0 else { return }
        let wide = UInt64(littleEndian: UInt64(key) << 32 | UInt64(key))
        let count = bytes.count
        var index = 0
        while index &+ 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            bytes.storeBytes(of: word ^ wide, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            bytes[index] ^= UInt8(truncatingIfNeeded: key >> UInt32(truncatingIfNeeded: (index & 3) &* 8))
            index &+= 1
        }
    }
}
