/// The address of a running server, and the key for it.
struct ManagedServer: Equatable, Sendable {
    /// Without a slash at its end.
    let url: String
    let key: Secret

    struct Unknown: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// - Throws: `Unknown` when there is no key, `InvalidConfiguration` when the configuration is needed and not allowed.
    init(_ access: ServerAccess, _ source: ConfigurationSource) throws {
        let configuration =
            access.url == nil || access.serviceKeyFile == nil ? try source.load().configuration : nil
        if let text = access.url {
            url = text.hasSuffix("/") ? String(text.dropLast()) : text
        } else {
            url = configuration.map { Self.url(of: $0.listening) } ?? ""
        }
        if let file = access.serviceKeyFile {
            key = try Self.key(in: file)
        } else if let configured = configuration?.authentication.serviceKey {
            key = configured
        } else {
            throw Unknown(description: "there is no service key: set SERVICE_API_KEY, or give --service-key-file FILE")
        }
    }

    static func url(of listening: Configuration.Listening) -> String {
        let host = Healthcheck.target(of: listening.host)
        let shown = host.contains(":") ? "[\(host)]" : host
        return "\(listening.tls == nil ? "http" : "https")://\(shown):\(listening.port)"
    }

    /// The first line of the file, so that an editor's newline does no harm.
    private static func key(in file: String) throws -> Secret {
        guard let bytes = try BoundedFile.bytes(at: file) else {
            throw Unknown(description: "--service-key-file \(file): the file does not exist")
        }
        let line = String(decoding: bytes, as: UTF8.self).prefix { !$0.isNewline }
        guard let key = ValueType<Secret>.serviceKey.parse(String(line)) else {
            throw Unknown(description: "--service-key-file \(file) does not begin with a service key")
        }
        return key
    }
}
