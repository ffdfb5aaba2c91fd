/// Where a RabbitMQ broker listens, and as whom to sign in.
public struct RabbitMQEndpoint: Sendable, CustomStringConvertible {
    /// How an encrypted connection proves itself; the broker's certificate is always verified, its host name included.
    public struct TLS: Sendable {
        /// Certificates (PEM) to trust; nil for the system's.
        public var authorityFile: String?
        /// The client's own certificate chain and key (PEM), where the broker asks for one.
        public var certificate: (chainFile: String, keyFile: String)?

        public init(authorityFile: String? = nil, certificate: (chainFile: String, keyFile: String)? = nil) {
            self.authorityFile = authorityFile
            self.certificate = certificate
        }
    }

    public var host: String
    public var port: UInt16
    public var user: String
    public var password: String
    public var virtualHost: String
    /// Nil for a connection in the clear.
    public var tls: TLS?
    /// Seconds between heartbeats; two missed ones end the connection.
    public var heartbeatSeconds: Int
    /// How long connecting, and each answer while setting up, may take.
    public var timeoutMilliseconds: Int

    /// - Parameters:
    ///   - port: nil for the protocol's own: 5672, with TLS 5671.
    ///   - user: nil for `guest`, which a broker admits over loopback only.
    public init(
        host: String, port: UInt16? = nil, user: String? = nil, password: String? = nil, virtualHost: String = "/",
        tls: TLS? = nil, heartbeatSeconds: Int = 10, timeoutMilliseconds: Int = 3000
    ) {
        self.host = host
        self.port = port ?? (tls == nil ? 5672 : 5671)
        self.user = user ?? "guest"
        self.password = password ?? (user == nil ? "guest" : "")
        self.virtualHost = virtualHost
        self.tls = tls
        self.heartbeatSeconds = heartbeatSeconds
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Without credentials.
    public var description: String { "\(host):\(port)" }
}
