import Crypto
import RedisLink

extension RedisDeployment {
    /// Reads `redis://[user:password@]host[:port][/database]`, or
    /// `redis+sentinel://[user:password@]sentinel[:port],…/primary[/database]`. With `rediss` all connections use TLS.
    ///
    /// The parameter `cacertfile` names a file with the authorities to be trusted instead of the system's. The parameters
    /// `sentinel_user` and `sentinel_password` are credentials at the sentinels; those in front of the hosts are for the servers.
    init?(url text: String) {
        guard let urls = ServerURL.forEachHost(text), let url = urls.first else { return nil }
        switch url.scheme {
        case "redis", "rediss":
            guard urls.count == 1, let parameters = url.parameters(known: ["cacertfile"]),
                let access = RedisAccess(url, database: url.path ?? "", parameters)
            else { return nil }
            self = .single(RedisEndpoint(url.address(defaultPort: 6379), access))
        case "redis+sentinel", "rediss+sentinel":
            guard let sentinels = RedisSentinels(urls, url) else { return nil }
            self = .sentinel(sentinels)
        case "redis+cluster", "rediss+cluster":
            // A cluster has no databases.
            guard let parameters = url.parameters(known: ["cacertfile"]),
                let access = RedisAccess(url, database: url.path ?? "", parameters), access.database == 0
            else { return nil }
            self = .cluster(urls.map { $0.address(defaultPort: 6379) }, access)
        default: return nil
        }
    }
}

extension RedisSentinels {
    private static let defaultPort: UInt16 = 26_379
    /// Sentinels allow no other characters in a primary's name; the length is a bound of this service.
    private static let name = ValueType<String>.name(upTo: 128)

    /// - Parameters:
    ///   - urls: one for each sentinel.
    ///   - url: one of them; they differ in their hosts alone.
    fileprivate init?(_ urls: [ServerURL], _ url: ServerURL) {
        let path = (url.path ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard url.masksQuery, let name = path.first.flatMap({ Self.name.parse(String($0)) }),
            !name.isEmpty,
            let parameters = url.parameters(known: ["sentinel_user", "sentinel_password", "cacertfile"]),
            let access = RedisAccess(url, database: path.count > 1 ? path[1] : "", parameters)
        else { return nil }
        let (user, password) = (parameters["sentinel_user"], parameters["sentinel_password"])
        guard user == nil || password != nil else { return nil }
        self.init(
            sentinels: urls.map { $0.address(defaultPort: Self.defaultPort) },
            sentinelAccess: RedisAccess(user: user, password: password, tls: access.tls), primaryName: name,
            access: access)
    }
}

extension RedisAccess {
    /// - Parameter database: its number; empty for 0.
    fileprivate init?(_ url: ServerURL, database: some StringProtocol, _ parameters: [String: String]) {
        guard let number = database.isEmpty ? 0 : Int(database), number >= 0 else { return nil }
        self.init(
            user: url.user, password: url.password?.text, database: number, tls: url.trust(parameters["cacertfile"]))
    }
}

extension ServerURL {
    fileprivate func address(defaultPort: UInt16) -> RedisAddress {
        RedisAddress(host: host, port: port.map { UInt16(clamping: $0) } ?? defaultPort)
    }

    /// nil without TLS.
    fileprivate func trust(_ authorities: String?) -> TLSClientContext.Trust? {
        guard scheme.hasPrefix("rediss") else { return nil }
        return authorities.map { .authorities(file: $0) } ?? .system
    }

    /// Whether the mask of a password in the query reaches to its end: it ends at the first character that should be encoded.
    fileprivate var masksQuery: Bool {
        let plain = Set("-._~%=&/:".utf8)
        return (query ?? "").utf8.allSatisfy { byte in
            plain.contains(byte) || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
        }
    }
}
