import ChatDomain
import EventLoop
import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Drives running servers through one scenario and checks that each watcher receives each change once, in order, and nothing else.
public struct PresenceBench: Sendable {
    /// Within this span the users of a killed instance must be offline.
    private static let crashLimit: Duration = .seconds(15)
    /// How long the bench waits for announcements that it does not expect.
    private static let waitForUnexpected: Duration = .seconds(3)

    private let options: PresenceBenchOptions
    private let population: PresencePopulation
    private let notify: @Sendable (String) -> Void

    /// Runs one scenario on a loop of its own.
    ///
    /// - Parameter notify: receives a line when the operator has to act, and keys that were left behind.
    public static func run(
        _ options: PresenceBenchOptions, notify: @escaping @Sendable (String) -> Void
    ) async throws(BenchFailure) -> BenchResult {
        let loop = EventLoop(name: "bench")
        loop.start()
        defer { loop.stop() }
        let population = PresencePopulation(options, on: loop)
        return try await PresenceBench(options: options, population: population, notify: notify).run()
    }

    /// The findings of a scenario beside the ledger.
    private struct Findings {
        var report = BenchReport()
        var isClean = true
    }

    private func run() async throws(BenchFailure) -> BenchResult {
        let findings =
            switch options.scenario {
            case .crash: try await crash()
            case .churn: try await churn()
            case .watch: try await watch()
            case .flap: try await flap()
            }
        let usersAtEnd = options.scenario == .watch || options.scenario == .flap ? options.users : 0
        let wrongCounts = try await population.wrongCounts(expected: usersAtEnd + population.watcherCount)
        let ledger = await population.ledger
        let refused = await population.refused
        await population.closeAll()
        var report = BenchReport()
        report.add("scenario", options.scenario.rawValue)
        report.add("clients", options.users)
        report.add("watchers", await population.watcherCount)
        report.add("owed", ledger.owed)
        report.add("delivered", ledger.delivered)
        report.add("missing", ledger.missing)
        report.add("unexpected", ledger.unexpected)
        report.add("refused", refused)
        report.add("wrongCounts", wrongCounts)
        report.add(latencies: ledger.latencies)
        report.add(findings.report)
        return BenchResult(
            report: report, failure: nil,
            isClean: ledger.missing == 0 && ledger.unexpected == 0 && refused == 0 && wrongCounts == 0
                && findings.isClean)
    }

    // MARK: Scenarios

    private func crash() async throws(BenchFailure) -> Findings {
        var findings = Findings()
        try await population.assemble(within: options.length)
        await population.pause(options.pauseBeforeKill)
        await population.allowLoss()
        if let process = options.killedProcess {
            kill(process, SIGKILL)
        } else {
            notify("kill the server at --url now")
        }
        guard try await population.wait(upTo: .seconds(120), for: { !$0.lostUsers.isEmpty }) else {
            throw BenchFailure(description: "the server at --url was not killed")
        }
        await population.expectAllOffline()
        let isInTime = try await population.wait(upTo: Self.crashLimit) { $0.ledger.missing == 0 }
        await population.pause(Self.waitForUnexpected)
        findings.report.add("withinLimit", isInTime ? "yes" : "no")
        findings.isClean = isInTime
        guard let redis = options.redis else { return findings }
        let left = try await PresenceLeftovers.keys(in: redis, of: await population.instance)
        findings.report.add("leftKeys", left.count)
        if !left.isEmpty {
            findings.isClean = false
            notify("left behind: " + left.prefix(10).joined(separator: " "))
        }
        return findings
    }

    private func churn() async throws(BenchFailure) -> Findings {
        var findings = Findings()
        let before = ProcessTime.microseconds(of: options.measuredProcesses)
        let connecting = try await population.assemble(within: options.length)
        let wrongCounts = try await population.wrongCounts(expected: options.users + population.watcherCount)
        try await population.disconnectAll(within: options.length)
        _ = try await population.wait(upTo: options.gracePeriod + .seconds(15)) { $0.ledger.missing == 0 }
        await population.pause(Self.waitForUnexpected)
        findings.report.add("wrongCountsAtTheTop", wrongCounts)
        findings.report.add(latencies: connecting, of: "coming")
        findings.isClean = wrongCounts == 0
        if let before, let after = ProcessTime.microseconds(of: options.measuredProcesses) {
            let costs = zip(before, after).map { Double($1 - $0) / Double(2 * options.users) }
            findings.report.add("cpuMicrosecondsPerTransition", costs.reduce(0, +))
            for (index, cost) in costs.enumerated() {
                findings.report.add("cpuMicrosecondsPerTransition.\(index + 1)", cost)
            }
        }
        return findings
    }

    private func watch() async throws(BenchFailure) -> Findings {
        // One user a millisecond.
        try await population.assemble(within: .milliseconds(options.users))
        try await population.changeStatuses()
        _ = try await population.wait(upTo: .seconds(15)) { $0.ledger.missing == 0 }
        await population.pause(Self.waitForUnexpected)
        return Findings()
    }

    private func flap() async throws(BenchFailure) -> Findings {
        var findings = Findings()
        try await population.assemble(within: options.length)
        let before = await population.ledger.delivered
        for _ in 0..<3 { try await population.reconnectAll() }
        await population.pause(options.gracePeriod + Self.waitForUnexpected)
        let ledger = await population.ledger
        findings.report.add("reconnects", 3 * options.users)
        findings.report.add("announced", ledger.delivered - before + ledger.unexpected)
        return findings
    }
}
