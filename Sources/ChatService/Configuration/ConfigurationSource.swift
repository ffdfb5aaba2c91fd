/// The places that a configuration is read from: the environment of the process, and a `.env` file.
struct ConfigurationSource: Sendable {
    var environment: [String: String]
    /// The path of the `.env` file, which need not exist.
    var environmentFile: String
    var system: SystemFacts

    func load() throws(InvalidConfiguration) -> LoadedConfiguration {
        try Configuration.load(environment: environment, file: fileText(), system: system)
    }

    /// Reads some variables. Bad values of others are no problem.
    func read<Settings>(
        _ settings: (inout ConfigurationReader) -> Settings
    ) throws(InvalidConfiguration) -> Settings {
        var reader = ConfigurationReader(
            environment: environment, file: EnvironmentFile(parsing: try fileText() ?? ""))
        let settings = settings(&reader)
        guard reader.problems.isEmpty else {
            throw InvalidConfiguration(problems: reader.problems, warnings: reader.warnings)
        }
        return settings
    }

    private func fileText() throws(InvalidConfiguration) -> String? {
        try BoundedFile.bytes(at: environmentFile).map { String(decoding: $0, as: UTF8.self) }
    }
}
