import ChatBench

/// `chat-service bench`: parses the options, runs the bench, and prints its report.
enum BenchCommand {
    static func run(
        _ arguments: [String], print: @Sendable (String) -> Void, complain: @escaping @Sendable (String) -> Void
    ) async -> Int32 {
        let isPresence = arguments.first == "presence"
        if arguments.contains("--help") {
            print(
                isPresence
                    ? PresenceBenchOptions.usage : "\(MessageBenchOptions.usage)\n\n\(PresenceBenchOptions.usage)")
            return ExitCode.success
        }
        do throws(UsageError) {
            let result =
                isPresence
                ? await run(try PresenceBenchOptions(parsing: Array(arguments.dropFirst())), complain)
                : await MessageBench.run(try MessageBenchOptions(parsing: arguments))
            guard let result else { return ExitCode.failure }
            if let failure = result.failure { complain("bench: \(failure)") }
            complain(result.report.table)
            print(result.report.json)
            return result.isClean ? ExitCode.success : ExitCode.failure
        } catch {
            complain("chat-service: \(error)\n\n\(isPresence ? PresenceBenchOptions.usage : MessageBenchOptions.usage)")
            return ExitCode.usage
        }
    }

    /// nil when the run could not end, after the reason was printed.
    private static func run(
        _ options: PresenceBenchOptions, _ complain: @escaping @Sendable (String) -> Void
    ) async -> BenchResult? {
        do throws(BenchFailure) {
            return try await PresenceBench.run(options, notify: complain)
        } catch {
            complain("bench: \(error)")
            return nil
        }
    }
}
