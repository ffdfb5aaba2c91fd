/// The address of a RabbitMQ broker, and the credentials for it.
public struct RabbitMQEndpoint: Sendable, CustomStringConvertible {
    /// The certificates of an encrypted connection. The broker's certificate and its host name are always verified.
    public struct TLS: Sendable {
        /// A file of certificates (PEM) to trust; nil for the system's.
        public var authorityFile: String?
        /// The client's own certificate chain and key (PEM), if the broker requires them.
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
    /// Nil for an unencrypted connection.
    public var tls: TLS?
    /// The time between heartbeats, in whole seconds; two missed ones end the connection.
    public var heartbeat: Duration
    /// The limit for connecting, and for each answer during the set-up.
    public var timeout: Duration

    /// - Parameters:
    ///   - port: nil for the protocol's default: 5672, with TLS 5671.
    ///   - user: nil for `guest`, which a broker accepts over loopback only.
    public init(
        host: String, port: UInt16? = nil, user: String? = nil, password: String? = nil, virtualHost: String = "/",
        tls: TLS? = nil, heartbeat: Duration = .seconds(10), timeout: Duration = .seconds(3)
    ) {
        self.host = host
        self.port = port ?? (tls == nil ? 5672 : 5671)
        self.user = user ?? "guest"
        self.password = password ?? (user == nil ? "guest" : "")
        self.virtualHost = virtualHost
        self.tls = tls
        self.heartbeat = heartbeat
        self.timeout = timeout
    }

    /// Without credentials.
    public var description: String { "\(host):\(port)" }
}
