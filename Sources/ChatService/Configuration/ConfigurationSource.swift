/// The places that a configuration is read from: the environment of the process, and a `.env` file.
struct ConfigurationSource: Sendable {
    var environment: [String: String]
    /// The path of the `.env` file, which need not exist.
    var environmentFile: String
    var system: SystemFacts

    func load() throws(InvalidConfiguration) -> LoadedConfiguration {
        let file = try BoundedFile.bytes(at: environmentFile).map { String(decoding: $0, as: UTF8.self) }
        return try Configuration.load(environment: environment, file: file, system: system)
    }
}
