/// An agreement on permessage-deflate (RFC 7692).
public struct PerMessageDeflate: Sendable, Equatable {
    static let name = "permessage-deflate"

    /// The server's terms.
    public struct Policy: Sendable, Equatable {
        /// Every message is deflated by itself, so that a broadcast is deflated once for all receivers.
        public var serverNoContextTakeover: Bool
        /// The client deflates every message by itself, so that no connection keeps an inflater's window.
        public var clientNoContextTakeover: Bool
        /// The base-two logarithm of the window the server deflates with at most, 9 to 15.
        public var serverMaxWindowBits: Int

        public init(
            serverNoContextTakeover: Bool = true, clientNoContextTakeover: Bool = true, serverMaxWindowBits: Int = 15
        ) {
            precondition((9...15).contains(serverMaxWindowBits), "a window of 9 to 15 bits")
            self.serverNoContextTakeover = serverNoContextTakeover
            self.clientNoContextTakeover = clientNoContextTakeover
            self.serverMaxWindowBits = serverMaxWindowBits
        }
    }

    public let serverNoContextTakeover: Bool
    public let clientNoContextTakeover: Bool
    /// The window the server must not exceed when it deflates, 9 to 15.
    public let serverMaxWindowBits: Int

    /// Agrees on the first offer that can be kept, in the client's order of preference (RFC 7692 section 5); nil when
    /// there is none.
    static func agree(on offers: [WebSocketExtensionOffer], policy: Policy) -> PerMessageDeflate? {
        offers.lazy.filter { $0.name == name }.compactMap { accept($0, policy: policy) }.first
    }

    /// The agreement as a member of the answer's `Sec-WebSocket-Extensions`.
    var headerValue: String {
        var value = Self.name
        if serverNoContextTakeover { value += "; server_no_context_takeover" }
        if clientNoContextTakeover { value += "; client_no_context_takeover" }
        if serverMaxWindowBits < 15 { value += "; server_max_window_bits=\(serverMaxWindowBits)" }
        return value
    }

    /// An unknown parameter, one that is there twice and one with a value out of bounds decline the offer (RFC 7692
    /// section 7.1). So does a server window of 8 bits, for which zlib has no deflater.
    private static func accept(_ offer: WebSocketExtensionOffer, policy: Policy) -> PerMessageDeflate? {
        var seen: Set<String> = []
        var serverBits = policy.serverMaxWindowBits
        for parameter in offer.parameters {
            guard seen.insert(parameter.name).inserted else { return nil }
            switch (parameter.name, parameter.value) {
            case ("server_no_context_takeover", nil), ("client_no_context_takeover", nil),
                ("client_max_window_bits", nil):
                continue
            case ("client_max_window_bits", let value?):
                guard windowBits(value) != nil else { return nil }
            case ("server_max_window_bits", let value?):
                guard let bits = windowBits(value), bits > 8 else { return nil }
                serverBits = min(serverBits, bits)
            default:
                return nil
            }
        }
        return PerMessageDeflate(
            serverNoContextTakeover: policy.serverNoContextTakeover || seen.contains("server_no_context_takeover"),
            clientNoContextTakeover: policy.clientNoContextTakeover, serverMaxWindowBits: serverBits)
    }

    /// 8 to 15, without leading zeros.
    private static func windowBits(_ value: String) -> Int? {
        guard !value.hasPrefix("0"), let bits = HTTPSyntax.decimal(value.utf8), (8...15).contains(bits) else {
            return nil
        }
        return bits
    }
}
