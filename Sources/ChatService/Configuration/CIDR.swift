import EventLoop

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
struct CIDR: Hashable, Sendable {
    private let network: UInt128
    private let mask: UInt128

    /// Bits behind the prefix are ignored: `10.1.2.3/8` means `10.0.0.0/8`. IPv4 addresses are held in their mapped IPv6 form
    /// (RFC 4291 §2.5.5.2), which an IPv4 range therefore contains as well.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let width = first.contains(":") ? 128 : 32
        var prefix = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]), length <= width
            else { return nil }
            prefix = length
        }
        mask = ~UInt128(0) << UInt128(width - prefix)
        network = Self.bits(address) & mask
    }

    func contains(_ address: IPAddress) -> Bool { Self.bits(address) & mask == network }

    private static func bits(_ address: IPAddress) -> UInt128 { UInt128(address.high) << 64 | UInt128(address.low) }
}

/// The proxies whose `X-Forwarded-For` the service accepts.
struct TrustedProxies: Hashable, Sendable {
    var networks: [CIDR] = []

    func contains(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }
}
