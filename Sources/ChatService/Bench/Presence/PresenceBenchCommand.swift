import EventLoop

/// `chat-service bench presence`: drives running servers and knows who is owed which change.
enum PresenceBenchCommand {
    static func run(
        _ arguments: [String], print: @Sendable (String) -> Void, complain: @Sendable (String) -> Void
    ) async -> Int32 {
        if arguments.contains("--help") {
            print(PresenceBenchOptions.usage)
            return ExitCode.success
        }
        let loop = EventLoop(name: "bench")
        loop.start()
        defer { loop.stop() }
        do throws(UsageError) {
            let bench = try PresenceBench(try PresenceBenchOptions(parsing: arguments), on: loop)
            return await run(bench, print: print, complain: complain)
        } catch {
            complain("chat-service: \(error)\n\n\(PresenceBenchOptions.usage)")
            return ExitCode.usage
        }
    }

    private static func run(
        _ bench: PresenceBench, print: @Sendable (String) -> Void, complain: @Sendable (String) -> Void
    ) async -> Int32 {
        do throws(BenchTrouble) {
            let (report, isClean) = try await bench.run(complain)
            complain(report.table)
            print(String(decoding: report.json, as: UTF8.self))
            return isClean ? ExitCode.success : ExitCode.failure
        } catch {
            complain("bench: \(error)")
            return ExitCode.failure
        }
    }
}
