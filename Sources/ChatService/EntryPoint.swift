import Foundation

@main
enum EntryPoint {
    static func main() async {
        let programs = CommandRunner.Programs(
            serve: { await ServeCommand.run($0, source: $1) },
            migrate: { await MigrateCommand.run($0) },
            importUserState: { await ImportUserStateCommand.run($0, path: $1) },
            backup: { BackupCommand.run($0, $1) },
            restore: { RestoreCommand.run($0, path: $1) },
            bench: { await BenchCommand.run($0, print: { print($0) }, complain: complain) })
        let environment = ProcessInfo.processInfo.environment
        let file = environment[Variables.configurationFile.name].flatMap { $0.isEmpty ? nil : $0 }
        let runner = CommandRunner(
            source: ConfigurationSource(
                environment: environment, environmentFile: file ?? ".env", system: .current()),
            print: { print($0) }, complain: complain, readStandardInput: { readLine() ?? "" }, programs: programs)
        exit(await runner.run(Array(CommandLine.arguments.dropFirst())))
    }

    @Sendable private static func complain(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
