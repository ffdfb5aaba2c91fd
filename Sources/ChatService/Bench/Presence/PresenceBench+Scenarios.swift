import ChatDomain
import EventLoop
import Foundation
import RedisLink
import Telemetry

/// What happens in each scenario, and what is measured.
extension PresenceBench {
    /// Within this a dead instance's users are gone, in milliseconds.
    private static let crashLimit: Int64 = 15_000
    /// How long what nobody is owed may still come, in milliseconds.
    private static let aftermath: Int64 = 3000

    /// - Returns: what was found, and whether all of it is as it has to be.
    func run(_ say: @Sendable (String) -> Void) async throws(BenchTrouble) -> (report: BenchReport, isClean: Bool) {
        var extra = BenchReport()
        switch options.scenario {
        case .crash: try await crash(&extra, say)
        case .churn: try await churn(&extra)
        case .watch: try await watch()
        case .flap: try await flap(&extra)
        }
        let remaining = options.scenario == .watch || options.scenario == .flap ? options.clients : 0
        let wrongCounts = try await wrongCounts(expected: remaining + watched.count)
        closeAll()
        var report = BenchReport()
        report.add("scenario", options.scenario.rawValue)
        report.add("clients", options.clients)
        report.add("watchers", watched.count)
        report.add("owed", ledger.owed)
        report.add("delivered", ledger.delivered)
        report.add("missing", ledger.missing)
        report.add("unexpected", ledger.unexpected)
        report.add("refused", refused)
        report.add("wrongCounts", wrongCounts)
        report.add(latencies: ledger.latencies)
        report.add(extra)
        let isClean =
            ledger.missing == 0 && ledger.unexpected == 0 && refused == 0 && wrongCounts == 0
            && !extra.rows.contains { $0.name == "leftKeys" && $0.value != .count(0) }
            && !extra.rows.contains { $0.name == "withinLimit" && $0.value != .text("yes") }
            && !extra.rows.contains { $0.name == "wrongCountsAtTheTop" && $0.value != .count(0) }
        return (report, isClean)
    }

    // MARK: The scenarios

    private func crash(_ report: inout BenchReport, _ say: @Sendable (String) -> Void) async throws(BenchTrouble) {
        try await assemble(usersWithin: Int64(options.seconds) * 1000)
        await pause(Int64(options.settle) * 1000)
        ledger.forgetLatencies()
        mayLose = true
        if let victim = options.victim { kill(victim, SIGKILL) } else { say("kill the server at --url now") }
        guard try await wait(atMost: 120_000, for: { !$0.lostUsers.isEmpty }) else {
            throw BenchTrouble(description: "nobody was killed")
        }
        let now = WallClock.monotonicMicroseconds()
        for user in 0..<options.clients { ledger.expect(.offline, of: user, at: now) }
        let isInTime = try await wait(atMost: Self.crashLimit) { $0.ledger.missing == 0 }
        await pause(Self.aftermath)
        report.add("withinLimit", isInTime ? "yes" : "no")
        if let redis = options.redis {
            let left = try await PresenceLeftovers.keys(in: redis, of: instance)
            report.add("leftKeys", left.count)
            if !left.isEmpty { say("left behind: " + left.prefix(10).joined(separator: " ")) }
        }
    }

    private func churn(_ report: inout BenchReport) async throws(BenchTrouble) {
        let span = Int64(options.seconds) * 1000
        let before = ProcessTime.microseconds(of: options.processes)
        try await assemble(usersWithin: span)
        let atTheTop = try await wrongCounts(expected: options.clients + watched.count)
        var coming = BenchReport()
        coming.add(latencies: ledger.latencies, of: "coming")
        ledger.forgetLatencies()
        try await dropUsers(within: span, isNews: true)
        _ = try await wait(atMost: options.grace + 15_000) { $0.ledger.missing == 0 }
        await pause(Self.aftermath)
        report.add("wrongCountsAtTheTop", atTheTop)
        report.add(coming)
        if let before, let after = ProcessTime.microseconds(of: options.processes) {
            report.add("cpuMicrosecondsPerTransition", Double(after - before) / Double(2 * options.clients))
        }
    }

    private func watch() async throws(BenchTrouble) {
        try await assemble(usersWithin: Int64(options.clients))
        ledger.forgetLatencies()
        let begun = loop.monotonicMilliseconds
        let total = options.rate * options.seconds
        var next = 0
        while next < total {
            let due = Int(loop.monotonicMilliseconds - begun) * options.rate / 1000 + 1
            while next < min(total, due) {
                let round = next / options.clients
                change(next % options.clients, to: round % 2 == 0 ? .busy : .online)
                next += 1
            }
            await pause(2)
        }
        _ = try await wait(atMost: 15_000) { $0.ledger.missing == 0 }
        await pause(Self.aftermath)
    }

    private func flap(_ report: inout BenchReport) async throws(BenchTrouble) {
        try await assemble(usersWithin: Int64(options.seconds) * 1000)
        let told = ledger.delivered
        ledger.forgetLatencies()
        for _ in 0..<3 {
            generation += 1
            for start in stride(from: 0, to: options.clients, by: 100) {
                let slice = start..<min(start + 100, options.clients)
                for user in slice { drop(user, isNews: false) }
                try await connectUsers(slice, within: 0, isNews: false)
            }
        }
        await pause(options.grace + Self.aftermath)
        report.add("reconnects", 3 * options.clients)
        report.add("announced", ledger.delivered - told + ledger.unexpected)
    }
}

/// CPU time of processes, in user and kernel mode.
enum ProcessTime {
    /// nil where there are none, or where one cannot be read.
    static func microseconds(of processes: [Int32]) -> Int64? {
        guard !processes.isEmpty else { return nil }
        let tick = Int64(1_000_000 / max(sysconf(Int32(_SC_CLK_TCK)), 1))
        var total: Int64 = 0
        for process in processes {
            // proc(5): the second field may hold blanks, so counting starts behind it.
            guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return nil }
            let fields = text[end...].split(separator: " ")
            guard fields.count > 13, let user = Int64(fields[12]), let system = Int64(fields[13]) else { return nil }
            total += (user + system) * tick
        }
        return total
    }
}
