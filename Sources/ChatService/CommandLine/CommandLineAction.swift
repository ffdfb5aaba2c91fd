/// The command that the arguments name.
enum CommandLineAction: Equatable, Sendable {
    case serve
    /// - Parameter command: nil: all of them.
    case help(command: String?)
    case version
    case checkConfiguration
    case printConfigurationDocs
    case mintToken(TokenRequest)
    case checkToken(TokenSource)
    case bench(arguments: [String])
    /// - Parameter isAliveWhenFull: whether an answer of 503 counts as healthy.
    case healthcheck(isAliveWhenFull: Bool)
    case doctor(DoctorArguments)
    case migrate(MigrateArguments)
    case importUserState(path: String)
    case backup(BackupArguments)
    case restore(RestoreArguments)
    case manage(ManagementRequest, ServerAccess)
}

/// The file that a backup is written to.
struct BackupArguments: Equatable, Sendable {
    var path: String
    /// Whether an existing file is replaced.
    var isForced = false
    var printsJSON = false
}

/// The backup that becomes the store.
struct RestoreArguments: Equatable, Sendable {
    var path: String
    var printsJSON = false
}

struct MigrateArguments: Equatable, Sendable {
    /// Whether nothing is changed.
    var isDryRun = false
    var printsJSON = false
}

struct DoctorArguments: Equatable, Sendable {
    /// Whether warnings count as failures.
    var isStrict = false
    var printsJSON = false
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

extension CommandLineAction {
    /// - Parameter arguments: without the program's name.
    init(parsing arguments: [String]) throws(UsageError) {
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case "help", "--help", "-h": self = try Self.help(rest)
        case "version", "--version": self = try Self.alone(.version, arguments)
        case "--check-config": self = try Self.alone(.checkConfiguration, arguments)
        case "--print-configuration-docs": self = try Self.alone(.printConfigurationDocs, arguments)
        case "bench": self = .bench(arguments: rest)
        case "token" where rest.first == "--help" || rest.first == "-h": self = .help(command: "token")
        default:
            let (command, rest) = try CommandCatalogue.find(in: arguments)
            if rest.contains("--help") || rest.contains("-h") {
                self = .help(command: command.name)
            } else {
                self = try Self.action(try command.parse(rest))
            }
        }
    }

    private static func help(_ rest: [String]) throws(UsageError) -> Self {
        guard !rest.isEmpty else { return .help(command: nil) }
        let name = rest.joined(separator: " ")
        guard !CommandCatalogue.named(name).isEmpty else { throw UsageError(description: "unknown command \(name)") }
        return .help(command: name)
    }

    private static func alone(_ action: Self, _ arguments: [String]) throws(UsageError) -> Self {
        _ = try CommandSyntax(arguments.first ?? "", "").parse(Array(arguments.dropFirst()))
        return action
    }

    private static func action(_ arguments: CommandArguments) throws(UsageError) -> Self {
        let printsJSON = arguments.has("--json")
        if let request = try ManagementRequest(arguments) { return .manage(request, try ServerAccess(arguments)) }
        switch arguments.command {
        case "serve": return arguments.has("--check-config") ? .checkConfiguration : .serve
        case "healthcheck": return .healthcheck(isAliveWhenFull: arguments.has("--alive"))
        case "doctor":
            return .doctor(DoctorArguments(isStrict: arguments.has("--strict"), printsJSON: printsJSON))
        case "migrate":
            return .migrate(MigrateArguments(isDryRun: arguments.has("--dry-run"), printsJSON: printsJSON))
        case "import-user-state": return .importUserState(path: arguments.operand)
        case "backup":
            return .backup(
                BackupArguments(path: arguments.operand, isForced: arguments.has("--force"), printsJSON: printsJSON))
        case "restore": return .restore(RestoreArguments(path: arguments.operand, printsJSON: printsJSON))
        case "token mint": return .mintToken(try TokenRequest(arguments))
        case "token check":
            let token = arguments.operands.first
            return .checkToken(token.flatMap { $0 == "-" ? nil : .argument($0) } ?? .standardInput)
        default: throw UsageError(description: "unknown command \(arguments.command)")
        }
    }
}

extension TokenRequest {
    init(_ arguments: CommandArguments) throws(UsageError) {
        guard let user = arguments["--user"], !user.isEmpty else {
            throw UsageError(description: "token mint needs --user ID")
        }
        self.init(
            user: user, name: arguments["--name"], lifetime: try arguments.value("--expires", .withUnit))
    }
}
