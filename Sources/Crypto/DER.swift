/// Writes the parts of ASN.1's distinguished encoding (X.690 §8, §10) that keys and signatures need.
enum DER {
    static func sequence(_ parts: [UInt8]...) -> [UInt8] { element(0x30, Array(parts.joined())) }

    /// A number that is not negative, from its big-endian bytes.
    static func integer(_ bigEndian: some Collection<UInt8>) -> [UInt8] {
        let digits = Array(bigEndian.drop { $0 == 0 })
        // A first bit that is set would mean a negative number.
        let needsSign = digits.first.map { $0 >= 0x80 } ?? true
        return element(0x02, needsSign ? [0] + digits : digits)
    }

    static func bitString(_ bytes: [UInt8]) -> [UInt8] { element(0x03, [0] + bytes) }

    static let null: [UInt8] = [0x05, 0x00]

    enum ObjectIdentifier {
        /// 1.2.840.113549.1.1.1
        static let rsaEncryption: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]
        /// 1.2.840.10045.2.1
        static let ellipticCurveKey: [UInt8] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
        /// 1.2.840.10045.3.1.7
        static let p256: [UInt8] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
        /// 1.3.101.112
        static let ed25519: [UInt8] = [0x06, 0x03, 0x2b, 0x65, 0x70]
    }

    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + length(content.count) + content
    }

    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 0x80 else { return [UInt8(count)] }
        let digits = (0..<8).reversed().map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }.drop { $0 == 0 }
        return [0x80 | UInt8(digits.count)] + digits
    }
}
