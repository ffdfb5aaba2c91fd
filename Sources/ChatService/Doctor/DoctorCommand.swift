import ChatDomain
import Telemetry

/// `chat-service doctor`: checks everything that a start needs and says what to do. Changes nothing, but for a key in Redis that expires.
enum DoctorCommand {
    static func run(
        _ source: ConfigurationSource, _ arguments: DoctorArguments, print: @Sendable (String) -> Void
    ) async -> Int32 {
        // As a start does.
        DescriptorLimit.raise()
        var report = DoctorReport()
        let loaded: LoadedConfiguration
        do throws(InvalidConfiguration) { loaded = try source.load() } catch {
            report.add(ConfigurationChecks.problems(error))
            report.add(HostChecks.limits(maximumConnections: nil))
            print(arguments.printsJSON ? report.json : report.text)
            return ExitCode.configuration
        }
        let configuration = loaded.configuration
        report.add(ConfigurationChecks.findings(loaded, source, now: now))
        report.add(await ServerChecks.findings(configuration))
        report.add(HostChecks.findings(configuration))
        report.add(await StoreChecks.findings(configuration, now: { now }))
        report.add(await RedisChecks.findings(configuration, now: { now }))
        report.add(await BrokerChecks.findings(configuration))
        report.add(await IdentityChecks.findings(configuration))
        print(arguments.printsJSON ? report.json : report.text)
        let isFailed = report.count(.error) > 0 || (arguments.isStrict && report.count(.warning) > 0)
        return isFailed ? ExitCode.failure : ExitCode.success
    }

    private static var now: Timestamp { Timestamp(milliseconds: WallClock.milliseconds()) }
}

/// Compares this host's clock with another's.
enum ClockCheck {
    /// Presence leases and tokens suffer above this.
    private static let tolerated: Int64 = 2000

    /// - Parameters:
    ///   - before, after: this host's time before and after the question, which bound what the other clock may say.
    static func finding(
        _ check: String, _ server: String, says time: Timestamp, between before: Timestamp, _ after: Timestamp
    ) -> Finding {
        let ahead = time.milliseconds - after.milliseconds
        let behind = before.milliseconds - time.milliseconds
        let difference = max(0, ahead, behind)
        guard difference > tolerated else { return .ok(check, "the clocks of this host and of \(server) agree") }
        return .error(
            check, "the clock of \(server) is \(difference / 1000) s \(ahead > 0 ? "ahead of" : "behind") this host's",
            do: "synchronise both hosts with NTP (chrony, systemd-timesyncd); tokens and leases depend on the time")
    }
}
