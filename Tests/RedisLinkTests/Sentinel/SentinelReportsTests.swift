import Testing

@testable import RedisLink

/// Which primary follows from the reports of several sentinels.
@Suite struct SentinelReportsTests {
    private static let a = RedisAddress(host: "a", port: 1)
    private static let b = RedisAddress(host: "b", port: 2)

    private func reports(_ count: Int = 3) -> SentinelReports {
        let sentinels = (1...count).map { RedisAddress(host: "s\($0)", port: 26_379) }
        return SentinelReports(
            RedisSentinels(
                sentinels: sentinels, sentinelAccess: RedisAccess(password: "for the sentinels"), primaryName: "m",
                access: RedisAccess(user: "u", password: "for the servers", database: 3)))
    }

    private func after(_ all: SentinelReport...) -> SentinelReports {
        var reports = reports(all.count)
        for (index, report) in all.enumerated() { reports.received(report, from: index) }
        return reports
    }

    private func addresses(_ reports: SentinelReports) -> [RedisAddress]? {
        guard case .servers(let servers) = reports.location else { return nil }
        return servers.map(\.endpoint.address)
    }

    private func reason(_ reports: SentinelReports) -> String? {
        if case .none(let reason) = reports.location { reason } else { nil }
    }

    @Test func thePrimaryIsUnknownUntilEverySentinelHasReported() {
        var reports = reports()
        reports.received(.primary(Self.a, epoch: 1), from: 2)
        reports.received(.primary(Self.a, epoch: 1), from: 0)
        #expect(reports.location == .unknown && reports.status.problems.isEmpty)
        #expect(reports.status.primary == nil && reports.status.agreeing == 0)
        reports.received(.unavailable(reason: "Connection refused"), from: 1)
        #expect(addresses(reports) == [Self.a])
        #expect(reports.status.agreeing == 2 && reports.status.sentinels == 3)
        #expect(reports.status.problems == ["sentinel s2:26379: Connection refused"])
        reports.received(.primary(Self.b, epoch: 9), from: 3)
        #expect(addresses(reports) == [Self.a], "there is no fourth sentinel")
    }

    @Test func theServersAreSignedInWithTheirOwnCredentials() throws {
        guard case .servers(let servers) = after(.primary(Self.a, epoch: 1)).location else {
            Issue.record("no primary")
            return
        }
        let first = try #require(servers.first)
        #expect(first.endpoint.access == RedisAccess(user: "u", password: "for the servers", database: 3))
        #expect(first.label == "primary m at a:1, named by 1 of 1 sentinels")
    }

    @Test func theNewestDecisionCountsHoweverManyNameAnother() {
        let outdated = after(.primary(Self.a, epoch: 4), .primary(Self.a, epoch: 4), .primary(Self.b, epoch: 5))
        #expect(addresses(outdated) == [Self.b], "the replaced primary is not tried")
        #expect(outdated.status.agreeing == 1)
        #expect(outdated.status.problems == ["sentinel s1:26379: it names a:1", "sentinel s2:26379: it names a:1"])
        #expect(addresses(after(.primary(Self.a, epoch: nil), .primary(Self.b, epoch: 0))) == [Self.b])
    }

    @Test(arguments: [nil, 0, 7] as [Int64?]) func inOneEpochTheMajorityIsTriedFirst(_ epoch: Int64?) {
        let (a, b) = (SentinelReport.primary(Self.a, epoch: epoch), SentinelReport.primary(Self.b, epoch: epoch))
        #expect(addresses(after(a, b, b)) == [Self.b, Self.a])
        #expect(addresses(after(a, b)) == [Self.a, Self.b])
        #expect(addresses(after(b, a)) == [Self.b, Self.a])
    }

    @Test func aFailOverIsSeenWithTheFirstSentinelThatReportsIt() {
        var reports = after(.primary(Self.a, epoch: 1), .primary(Self.a, epoch: 1), .primary(Self.a, epoch: 1))
        reports.received(.primary(Self.b, epoch: 2), from: 1)
        #expect(addresses(reports) == [Self.b])
    }

    @Test func withoutSentinelsTheLastKnownPrimaryStays() {
        var reports = after(.primary(Self.a, epoch: 1), .primary(Self.a, epoch: 1))
        for index in 0...1 { reports.received(.unavailable(reason: "away"), from: index) }
        #expect(addresses(reports) == [Self.a])
        #expect(reports.status.agreeing == 0 && reports.status.problems.count == 2)
        reports.received(.noPrimary(reason: "it knows no primary of that name"), from: 0)
        #expect(
            reason(reports)
                == "no sentinel names the primary m: sentinel s1:26379: it knows no primary of that name; "
                + "sentinel s2:26379: away")
    }

    @Test func withoutAnyAnswerTheReasonsAreGiven() {
        let reports = after(.unavailable(reason: "Connection refused"), .noPrimary(reason: "it is not a sentinel"))
        #expect(
            reason(reports)
                == "no sentinel names the primary m: sentinel s1:26379: Connection refused; "
                + "sentinel s2:26379: it is not a sentinel")
        #expect(reports.status.primary == nil && reports.status.agreeing == 0)
    }

    @Test func extremeEpochsAreOrdered() {
        #expect(addresses(after(.primary(Self.a, epoch: .max), .primary(Self.b, epoch: .min))) == [Self.a])
    }
}
