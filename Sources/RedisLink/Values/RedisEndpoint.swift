public import Crypto

/// Where a Redis server or a sentinel listens.
public struct RedisAddress: Hashable, Sendable {
    /// A name or an IP address.
    public var host: String
    public var port: UInt16

    public init(host: String, port: UInt16 = 6379) {
        self.host = host
        self.port = port
    }
}

extension RedisAddress: CustomStringConvertible {
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// How to sign in at a server. Its description never shows the password.
public struct RedisAccess: Hashable, Sendable {
    /// Redis's `default` user when nil.
    public var user: String?
    public var password: String?
    public var database: Int
    /// The authorities whose certificates are trusted; nil for a connection without TLS.
    public var tls: TLSClientContext.Trust?

    public init(
        user: String? = nil, password: String? = nil, database: Int = 0, tls: TLSClientContext.Trust? = nil
    ) {
        self.user = user
        self.password = password
        self.database = database
        self.tls = tls
    }
}

extension RedisAccess: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "/\(database)\(tls == nil ? "" : " over TLS")" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// One Redis server and how to sign in there.
public struct RedisEndpoint: Hashable, Sendable {
    public var address: RedisAddress
    public var access: RedisAccess

    public init(_ address: RedisAddress, _ access: RedisAccess = RedisAccess()) {
        self.address = address
        self.access = access
    }

    public init(
        host: String, port: UInt16 = 6379, user: String? = nil, password: String? = nil, database: Int = 0,
        tls: TLSClientContext.Trust? = nil
    ) {
        self.init(
            RedisAddress(host: host, port: port),
            RedisAccess(user: user, password: password, database: database, tls: tls))
    }
}

extension RedisEndpoint: CustomStringConvertible {
    public var description: String { "\(address)\(access)" }
}
