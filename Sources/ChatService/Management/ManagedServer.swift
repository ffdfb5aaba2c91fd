/// The address of a running server, and the key for it.
struct ManagedServer: Equatable, Sendable {
    /// Without a slash at its end.
    let url: String
    let key: Secret

    struct Unknown: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    /// Reads the variables that the options do not stand for.
    ///
    /// - Throws: `Unknown` when there is no key, `InvalidConfiguration` when a variable that is needed is not allowed.
    init(_ access: ServerAccess, _ source: ConfigurationSource) throws {
        if let text = access.url {
            url = text.hasSuffix("/") ? String(text.dropLast()) : text
        } else {
            url = try source.read { ServerAddress(reading: &$0) }.url
        }
        if let file = access.serviceKeyFile {
            key = try Self.key(in: file)
        } else if let configured = try source.read({ $0.optional(Variables.serviceKey) }) {
            key = configured
        } else {
            throw Unknown(description: "there is no service key: set SERVICE_API_KEY, or give --service-key-file FILE")
        }
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
