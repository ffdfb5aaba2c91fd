/// The points of Ed25519 whose order divides eight. A key that is one of them verifies signatures that no secret made
/// (RFC 8032 §8.8 leaves them to the application).
enum SmallOrderPoints {
    /// Whether a point, as 32 bytes (RFC 8032 §5.1.2), is one of them in any of its encodings.
    static func contain(_ point: some Collection<UInt8>) -> Bool {
        // The last bit is the sign of x, under either of which the order is the same.
        var bytes = Array(point)
        guard let last = bytes.popLast() else { return false }
        bytes.append(last & 0x7F)
        return encodings.contains(bytes)
    }

    /// Values of y, little-endian: of orders 4, 1, 8, 8 and 2, and then 4 and 1 once more as p and p + 1.
    private static let encodings: Set<[UInt8]> = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98, 0xF0,
            0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ],
        nearPrime(0xEC), nearPrime(0xED), nearPrime(0xEE),
    ]

    private static func nearPrime(_ first: UInt8) -> [UInt8] { [first] + [UInt8](repeating: 0xFF, count: 30) + [0x7F] }
}
