/// What a node of a cluster answers instead of a result, when another one, or a later moment, is the right one.
enum Redirection: Hashable, Sendable {
    /// The slot is at another node for good.
    case moved(HashSlot, RedisAddress)
    /// The slot is being moved, and the key is at another node already, which takes the command after `ASKING`.
    case ask(HashSlot, RedisAddress)
    /// The slot is being moved, and only some of the command's keys are at one node.
    case tryAgain
    /// The node does not serve the slot, or the cluster serves none.
    case down

    /// nil for any other error.
    ///
    /// - Parameter node: the node that answered. It leaves out the host where it knows no better than the client.
    init?(code: String, message: String, from node: RedisAddress) {
        switch code {
        case "MOVED", "ASK":
            let words = message.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard words.count >= 2, let number = Int(Substring(words[0])), let slot = HashSlot(number),
                let address = Self.address(Substring(words[1]), from: node)
            else { return nil }
            self = code == "MOVED" ? .moved(slot, address) : .ask(slot, address)
        case "TRYAGAIN": self = .tryAgain
        case "CLUSTERDOWN": self = .down
        default: return nil
        }
    }

    /// Whether an error's code is one of these.
    static func isCode(_ code: String) -> Bool { ["MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"].contains(code) }

    /// Reads `host:port`; the host may be empty, and an IPv6 address is not in brackets.
    private static func address(_ text: Substring, from node: RedisAddress) -> RedisAddress? {
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            let port = UInt16(text[text.utf8.index(after: colon)...]), port > 0
        else { return nil }
        let host = String(text[..<colon])
        guard host != "?", host.utf8.count <= 253 else { return nil }
        return RedisAddress(host: host.isEmpty ? node.host : host, port: port)
    }
}
