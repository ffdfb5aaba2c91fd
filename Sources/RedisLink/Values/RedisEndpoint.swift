public import Crypto

/// One Redis server and how to sign in there. Its description never shows the password.
public struct RedisEndpoint: Hashable, Sendable {
    /// A name or an address.
    public var host: String
    public var port: UInt16
    /// Redis's `default` user when nil.
    public var user: String?
    public var password: String?
    public var database: Int
    /// The authorities whose certificates are trusted; nil for a connection without TLS.
    public var tls: TLSClientContext.Trust?

    public init(
        host: String, port: UInt16 = 6379, user: String? = nil, password: String? = nil, database: Int = 0,
        tls: TLSClientContext.Trust? = nil
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.tls = tls
    }
}

extension RedisEndpoint: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return "\(tls == nil ? "redis" : "rediss")://\(host):\(port)/\(database)"
    }

    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
