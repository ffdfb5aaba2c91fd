import ChatDomain
import Telemetry

/// Exit codes, the failures by sysexits.h.
enum ExitCode {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = 64
    static let configuration: Int32 = 78
}

/// Runs the command that the arguments name. Its input and output are given, so that tests can run it.
struct CommandRunner: Sendable {
    /// The commands that touch files and servers; each returns the exit code.
    struct Programs: Sendable {
        var serve: @Sendable (LoadedConfiguration, ConfigurationSource) async -> Int32
        var migrate: @Sendable (LoadedConfiguration, MigrateArguments) async -> Int32
        var importUserState: @Sendable (LoadedConfiguration, _ path: String) async -> Int32
        var backup: @Sendable (LoadedConfiguration, BackupArguments) async -> Int32
        var restore: @Sendable (LoadedConfiguration, RestoreArguments) async -> Int32
        var bench: @Sendable ([String]) async -> Int32
        /// The doctor reports what is wrong with the configuration too.
        var doctor: @Sendable (ConfigurationSource, DoctorArguments) async -> Int32
        /// A command that names server and key needs no configuration.
        var manage: @Sendable (ConfigurationSource, ManagementRequest, ServerAccess) async -> Int32
    }

    var source: ConfigurationSource
    var print: @Sendable (String) -> Void
    var complain: @Sendable (String) -> Void
    var readStandardInput: @Sendable () -> String
    var programs: Programs

    func run(_ arguments: [String]) async -> Int32 {
        let action: CommandLineAction
        do throws(UsageError) {
            action = try CommandLineAction(parsing: arguments)
        } catch {
            let command = (try? CommandCatalogue.find(in: arguments))?.0.name
            complain("chat-service: \(error)\n\n\(command.map { HelpText.text(of: $0) } ?? HelpText.usage)")
            return ExitCode.usage
        }
        switch action {
        case .help(nil): print(HelpText.full())
        case .help("bench"): return await programs.bench(["--help"])
        case .help(let command?): print(HelpText.text(of: command))
        case .version: print("chat-service \(Version.current)")
        case .printConfigurationDocs: print(ConfigurationText.referencePage())
        case .bench(let arguments): return await programs.bench(arguments)
        case .doctor(let arguments): return await programs.doctor(source, arguments)
        case .manage(let request, let access): return await programs.manage(source, request, access)
        default: return await runConfigured(action)
        }
        return ExitCode.success
    }

    private func runConfigured(_ action: CommandLineAction) async -> Int32 {
        do throws(InvalidConfiguration) {
            return try await perform(action)
        } catch {
            for warning in error.warnings { complain("warning: \(warning)") }
            for problem in error.problems { complain("error: \(problem)") }
            return ExitCode.configuration
        }
    }

    /// Reads the settings that the command needs, and no others where that is little.
    private func perform(_ action: CommandLineAction) async throws(InvalidConfiguration) -> Int32 {
        switch action {
        case .healthcheck(let isAliveWhenFull):
            return checkHealth(try source.read { ServerAddress(reading: &$0) }, isAliveWhenFull: isAliveWhenFull)
        case .mintToken(let request):
            let authentication = try source.read { Configuration.Authentication(reading: &$0) }
            return answer { () throws(TokenCommands.Failure) in
                try TokenCommands.mint(request, by: authentication, now: now)
            }
        case .checkToken(let tokenSource):
            let verifier = try source.read { Configuration.Authentication(reading: &$0) }.verifier()
            return answer { () throws(TokenCommands.Failure) in
                try TokenCommands.check(text(of: tokenSource), by: verifier, now: now)
            }
        default: return try await run(action, try source.load())
        }
    }

    private func run(
        _ action: CommandLineAction, _ loaded: LoadedConfiguration
    ) async throws(InvalidConfiguration) -> Int32 {
        switch action {
        case .serve: return await programs.serve(loaded, source)
        case .migrate(let arguments): return await programs.migrate(loaded, arguments)
        case .importUserState(let path): return await programs.importUserState(loaded, path)
        case .backup(let arguments): return await programs.backup(loaded, arguments)
        case .restore(let arguments): return await programs.restore(loaded, arguments)
        case .checkConfiguration:
            _ = try ServiceCredentials(loaded.configuration)
            for warning in loaded.warnings { complain("warning: \(warning)") }
            print(ConfigurationText.settings(loaded))
            for (name, value) in StartBanner.facts(loaded.configuration) { print("# \(name): \(value)") }
            return ExitCode.success
        case .help, .version, .printConfigurationDocs, .bench, .doctor, .manage, .healthcheck, .mintToken, .checkToken:
            preconditionFailure("runs without the whole configuration")
        }
    }

    private func answer(_ body: () throws(TokenCommands.Failure) -> String) -> Int32 {
        do throws(TokenCommands.Failure) {
            print(try body())
            return ExitCode.success
        } catch {
            complain("\(error)")
            return ExitCode.failure
        }
    }

    private func checkHealth(_ address: ServerAddress, isAliveWhenFull: Bool) -> Int32 {
        do throws(Healthcheck.Failure) {
            try Healthcheck.run(address, isAliveWhenFull: isAliveWhenFull)
            return ExitCode.success
        } catch {
            complain("unhealthy: \(error)")
            return ExitCode.failure
        }
    }

    private func text(of source: TokenSource) -> String {
        switch source {
        case .argument(let token): token
        case .standardInput: readStandardInput()
        }
    }

    private var now: Timestamp { Timestamp(milliseconds: WallClock.milliseconds()) }
}
