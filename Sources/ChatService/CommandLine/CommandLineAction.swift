/// The command that the arguments name.
enum CommandLineAction: Equatable, Sendable {
    case serve
    case help
    case version
    case checkConfiguration
    case printConfigurationDocs
    case mintToken(TokenRequest)
    case checkToken(TokenSource)
    case bench(arguments: [String])
    case healthcheck
    case migrate
    case importUserState(path: String)
    case backup(BackupArguments)
    case restore(path: String)
}

/// The file that a backup is written to.
struct BackupArguments: Equatable, Sendable {
    var path: String
    /// Whether an existing file is replaced.
    var isForced = false
}

/// A token to be made.
struct TokenRequest: Equatable, Sendable {
    var user: String
    var name: String?
    /// nil: as configured.
    var lifetime: Duration?
}

/// The source of a token to be checked.
enum TokenSource: Equatable, Sendable {
    case argument(String)
    case standardInput
}

/// Arguments that are not a command of this program.
struct UsageError: Error, Equatable, CustomStringConvertible {
    let description: String
}

extension CommandLineAction {
    /// - Parameter arguments: without the program's name.
    init(parsing arguments: [String]) throws(UsageError) {
        guard let first = arguments.first else { throw UsageError(description: "a command is missing") }
        let rest = Array(arguments.dropFirst())
        if first != "bench", rest.contains("--help") || rest.contains("-h") {
            self = .help
            return
        }
        switch first {
        case "help", "--help", "-h": self = .help
        case "version", "--version": self = try Self.alone(.version, first, rest)
        case "--check-config": self = try Self.alone(.checkConfiguration, first, rest)
        case "--print-configuration-docs": self = try Self.alone(.printConfigurationDocs, first, rest)
        case "serve":
            self = rest == ["--check-config"] ? .checkConfiguration : try Self.alone(.serve, first, rest)
        case "healthcheck": self = try Self.alone(.healthcheck, first, rest)
        case "migrate": self = try Self.alone(.migrate, first, rest)
        case "import-user-state":
            self = .importUserState(path: try Self.oneFile(first, rest))
        case "backup":
            let paths = rest.filter { $0 != "--force" }
            self = .backup(
                BackupArguments(path: try Self.oneFile(first, paths), isForced: paths.count < rest.count))
        case "restore": self = .restore(path: try Self.oneFile(first, rest))
        case "bench": self = .bench(arguments: rest)
        case "token": self = try Self.token(rest)
        default: throw UsageError(description: "unknown command \(first)")
        }
    }

    private static func alone(_ action: Self, _ name: String, _ rest: [String]) throws(UsageError) -> Self {
        if let extra = rest.first { throw UsageError(description: "\(name) takes no argument, got \(extra)") }
        return action
    }

    private static func oneFile(_ name: String, _ rest: [String]) throws(UsageError) -> String {
        guard rest.count == 1, let path = rest.first, !path.isEmpty, !path.hasPrefix("-") else {
            throw UsageError(description: "\(name) takes one file")
        }
        return path
    }

    private static func token(_ arguments: [String]) throws(UsageError) -> Self {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "mint": return .mintToken(try TokenRequest(parsing: rest))
        case "check":
            guard rest.count <= 1 else { throw UsageError(description: "token check takes one token") }
            guard let token = rest.first, token != "-" else { return .checkToken(.standardInput) }
            return .checkToken(.argument(token))
        default: throw UsageError(description: "token takes mint or check")
        }
    }
}

extension TokenRequest {
    init(parsing arguments: [String]) throws(UsageError) {
        let options = try Options(parsing: arguments, known: ["--user", "--name", "--expires"])
        guard let user = options.values["--user"], !user.isEmpty else {
            throw UsageError(description: "token mint needs --user ID")
        }
        self.init(user: user, name: options.values["--name"], lifetime: nil)
        guard let expires = options.values["--expires"] else { return }
        let type = ValueType<Duration>.withUnit
        guard let lifetime = type.parse(expires) else {
            throw UsageError(description: "--expires \(expires) is not allowed; allowed: \(type.allowed)")
        }
        self.lifetime = lifetime
    }
}

/// `--name value` and `--name=value` pairs, each at most once.
private struct Options {
    private(set) var values: [String: String] = [:]

    init(parsing arguments: [String], known: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, known.contains(name) else {
                throw UsageError(description: "unknown option \(parts.first ?? argument)")
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw UsageError(description: "\(name) needs a value")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw UsageError(description: "\(name) is given twice")
            }
        }
    }
}
