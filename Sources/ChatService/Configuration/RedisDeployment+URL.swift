import Crypto
import RedisLink

extension RedisDeployment {
    /// Reads `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS.
    ///
    /// With TLS the servers have to present a certificate of the system's authorities, or of those in the file that the parameter
    /// `cacertfile` names.
    init?(url text: String) {
        guard let urls = ServerURL.forEachHost(text), let url = urls.first else { return nil }
        switch url.scheme {
        case "redis", "rediss":
            guard urls.count == 1, let parameters = url.parameters(known: ["cacertfile"]),
                let access = RedisAccess(url, database: url.path ?? "", parameters)
            else { return nil }
            self = .single(RedisEndpoint(url.address(defaultPort: 6379), access))
        default: return nil
        }
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
}
