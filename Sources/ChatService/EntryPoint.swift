#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@main
enum EntryPoint {
    static func main() async {
        let programs = CommandRunner.Programs(
            serve: { await ServeCommand.run($0, source: $1) },
            migrate: { await MigrateCommand.run($0, $1, print: show) },
            importUserState: { await ImportUserStateCommand.run($0, path: $1) },
            backup: { BackupCommand.run($0, $1, print: show) },
            restore: { RestoreCommand.run($0, $1, print: show) },
            bench: { await BenchCommand.run($0, print: show, complain: complain) },
            doctor: { await DoctorCommand.run($0, $1, print: show) },
            manage: { await ManagementCommand.run($0, $1, $2, print: show, complain: complain) })
        let environment = ProcessInfo.processInfo.environment
        let file = environment[Variables.configurationFile.name].flatMap { $0.isEmpty ? nil : $0 }
        let runner = CommandRunner(
            source: ConfigurationSource(
                environment: environment, environmentFile: file ?? ".env", system: .current()),
            print: show, complain: complain, readStandardInput: { readLine() ?? "" }, programs: programs)
        exit(await runner.run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Writes at once, so that a program that reads the lines of `tail` gets them as they come.
    @Sendable private static func show(_ text: String) {
        print(text)
        fflush(nil)
    }

    @Sendable private static func complain(_ text: String) {
        let bytes = Array((text + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
