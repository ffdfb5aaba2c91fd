internal import Crypto

/// A Lua script that runs inside Redis, atomically.
public struct RedisScript: Hashable, Sendable {
    /// The text, which Redis compiles once.
    public let source: [UInt8]
    /// The SHA-1 of the text in hex digits, by which Redis knows the script.
    public let digest: [UInt8]
    /// For logs and metrics.
    public let name: String

    public init(_ source: [UInt8], name: String = "a script") {
        self.source = source
        self.name = name
        digest = Digest.sha1(source).flatMap { byte in [byte >> 4, byte & 15].map { $0 < 10 ? 48 + $0 : 87 + $0 } }
    }

    public init(_ source: String, name: String = "a script") { self.init(Array(source.utf8), name: name) }

    public static func == (a: Self, b: Self) -> Bool { a.digest == b.digest }
    public func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}
