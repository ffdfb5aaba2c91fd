/// One command, or one run of a script.
public struct RedisCommand: Sendable {
    enum Kind: Sendable {
        case plain([RedisArgument])
        case script(RedisScript, keys: [RedisArgument], arguments: [RedisArgument])
        case publication(channel: [UInt8], payload: [UInt8])
        case subscriberCount(channel: [UInt8])
    }

    /// The command without its arguments.
    enum Name: Hashable, Sendable {
        case plain(RedisArgument)
        case script(String)
    }

    let kind: Kind

    var name: Name {
        switch kind {
        case .plain(let words): .plain(words.first ?? "")
        case .script(let script, _, _): .script(script.name)
        case .publication: .plain("PUBLISH")
        case .subscriberCount: .plain("PUBSUB")
        }
    }

    /// - Parameter words: the command's name and its arguments.
    public init(_ words: [RedisArgument]) { kind = .plain(words) }

    /// The script is sent in full the first time on a connection and by its digest afterwards. After a `SCRIPT FLUSH` it is
    /// sent again by itself; runs that were under way at that moment may then take effect in another order.
    public static func script(
        _ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument] = []
    ) -> RedisCommand {
        RedisCommand(kind: .script(script, keys: keys, arguments: arguments))
    }

    /// A message on a channel; on the sharded channel of that name where a cluster has them. There it is sent again when its outcome is not
    /// known, so that it may arrive twice.
    public static func publish(_ payload: [UInt8], on channel: [UInt8]) -> RedisCommand {
        RedisCommand(kind: .publication(channel: channel, payload: payload))
    }

    /// How many subscribers a channel has that `publish` reaches. The answer is an array of the channel and the number.
    public static func subscriberCount(of channel: [UInt8]) -> RedisCommand {
        RedisCommand(kind: .subscriberCount(channel: channel))
    }

    private init(kind: Kind) { self.kind = kind }

    /// The command's words; nil for a script.
    ///
    /// - Parameter isSharded: uses sharded channels.
    func words(isSharded: Bool) -> [RedisArgument]? {
        switch kind {
        case .plain(let words): words
        case .script: nil
        case .publication(let channel, let payload):
            [isSharded ? "SPUBLISH" : "PUBLISH", RedisArgument(channel), RedisArgument(payload)]
        case .subscriberCount(let channel):
            ["PUBSUB", isSharded ? "SHARDNUMSUB" : "NUMSUB", RedisArgument(channel)]
        }
    }

    /// About the length of the command as it is sent, in bytes.
    var approximateBytes: Int {
        switch kind {
        case .plain(let words): words.reduce(0) { $0 + $1.bytes.count }
        case .script(_, let keys, let arguments): (keys + arguments).reduce(40) { $0 + $1.bytes.count }
        case .publication(let channel, let payload): channel.count + payload.count
        case .subscriberCount(let channel): channel.count
        }
    }
}

extension RedisCommand: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: RedisArgument...) { self.init(elements) }
}

/// One word of a command, in bytes.
public struct RedisArgument: Hashable, Sendable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }
    public init(_ number: some BinaryInteger) { bytes = Array(String(number).utf8) }
}

extension RedisArgument: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self.init(value) }
    public init(integerLiteral value: Int64) { self.init(value) }
}
