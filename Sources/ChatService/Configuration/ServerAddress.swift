/// Where the server on this machine is reached. Commands that call it read these settings and no others, so that a bad value of
/// a setting that they do not need does not stop them.
struct ServerAddress: Equatable, Sendable {
    let host: String
    let port: Int
    let usesTLS: Bool

    init(host: String, port: Int, usesTLS: Bool = false) {
        self.host = Self.target(of: host)
        self.port = port
        self.usesTLS = usesTLS
    }

    init(_ listening: Configuration.Listening) {
        self.init(host: listening.host, port: listening.port, usesTLS: listening.tls != nil)
    }

    init(reading reader: inout ConfigurationReader) {
        // Without HOST a server listens on loopback or on every address. Both are reached over loopback.
        self.init(
            host: reader.optional(Variables.host) ?? "127.0.0.1", port: reader.value(Variables.port),
            usesTLS: reader.isSet(Variables.tlsCertificate))
    }

    /// Without a slash at its end.
    var url: String { "\(usesTLS ? "https" : "http")://\(authority)" }

    /// Host and port as a URL or a `Host` field has them (RFC 3986 section 3.2).
    var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    /// The address to connect to. A listener on every address is reached over loopback.
    static func target(of host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }
}
