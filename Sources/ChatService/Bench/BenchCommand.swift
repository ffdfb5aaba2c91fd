import EventLoop

/// `chat-service bench`: drives a running server and knows what is owed to whom.
enum BenchCommand {
    static func run(
        _ arguments: [String], print: @Sendable (String) -> Void, complain: @Sendable (String) -> Void
    ) async -> Int32 {
        if arguments.first == "presence" {
            return await PresenceBenchCommand.run(Array(arguments.dropFirst()), print: print, complain: complain)
        }
        if arguments.contains("--help") {
            print(BenchOptions.usage + "\n\n" + PresenceBenchOptions.usage)
            return ExitCode.success
        }
        do throws(UsageError) {
            let options = try BenchOptions(parsing: arguments)
            let addresses = try options.servers.map { server throws(UsageError) in try server.address }
            let outcome = await drive(options, addresses)
            if let trouble = outcome.trouble { complain("bench: \(trouble)") }
            let report = outcome.tally.report(options)
            complain(report.table)
            print(String(decoding: report.json, as: UTF8.self))
            return outcome.isClean ? ExitCode.success : ExitCode.failure
        } catch {
            complain("chat-service: \(error)\n\n\(BenchOptions.usage)")
            return ExitCode.usage
        }
    }

    private static func drive(_ options: BenchOptions, _ addresses: [IPAddress]) async -> BenchOutcome {
        let loop = EventLoop(name: "bench")
        loop.start()
        let outcome = await withCheckedContinuation { continuation in
            loop.post {
                BenchDriver(options, addresses: addresses, loop: loop) { continuation.resume(returning: $0) }.begin()
            }
        }
        loop.stop()
        return outcome
    }
}

/// How a bench ended.
struct BenchOutcome: Sendable {
    var tally: BenchTally
    /// Why it could not go on; nil when it ran to its end.
    var trouble: String?

    var isClean: Bool { trouble == nil && tally.isClean }
}
