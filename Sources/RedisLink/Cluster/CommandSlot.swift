extension RedisCommand {
    /// Commands that concern no key.
    private static let keyless: Set<RedisArgument> = ["PING", "TIME", "INFO", "CLUSTER", "COMMAND", "SCRIPT", "CONFIG"]

    /// The slot of the command's first key, or of its channel; nil for a command that any node may answer. Classic channels belong
    /// to no slot. They are treated as if they did, so that a channel's publications and subscriptions meet at one node.
    var slot: HashSlot? {
        switch kind {
        case .publication(let channel, _), .subscriberCount(let channel): HashSlot(of: channel)
        case .script(_, let keys, _): keys.first.map { HashSlot(of: $0.bytes) }
        case .plain(let words):
            if let name = words.first, !Self.keyless.contains(name) {
                words.dropFirst(name == "PUBSUB" ? 2 : 1).first.map { HashSlot(of: $0.bytes) }
            } else {
                nil
            }
        }
    }

    /// Whether it may take effect twice: a publication is a hint.
    var isRepeatable: Bool { if case .publication = kind { true } else { false } }
}
