/// One command, or one run of a script.
public struct RedisCommand: Sendable {
    enum Kind: Sendable {
        case plain([RedisArgument])
        case script(RedisScript, keys: [RedisArgument], arguments: [RedisArgument])
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

    private init(kind: Kind) { self.kind = kind }
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
