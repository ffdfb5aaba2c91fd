import ChatDomain
import Testing

@testable import ChatCore

/// One allowance on several instances, as far as they have reported usage.
@Suite struct MessageRateTests {
    private let ann = UserID(unchecked: "ann")

    private func moment(_ milliseconds: Int64) -> Moment { Moment(milliseconds: milliseconds) }

    /// Messages the user gets through at this moment, of `tries`.
    private func send(_ tries: Int, to users: UserDirectory, at now: Moment) -> Int {
        (0..<tries).count { _ in users.wait(of: ann, at: now) == nil }
    }

    private func exchange(_ instances: [UserDirectory], at now: Moment) {
        for (index, from) in instances.enumerated() {
            let usages = from.takeUnreportedUsage()
            for (other, to) in instances.enumerated() where other != index {
                for (user, count) in usages { to.noteUsageElsewhere(count, of: user, at: now) }
            }
        }
    }

    @Test func aUserOfAllInstancesGetsOneRateInTheLongRun() {
        let instances = (0..<3).map { _ in UserDirectory(messageRate: 10) }
        var sent = 0
        for tick in 0..<600 {
            let now = moment(Int64(tick) * 100)
            for users in instances { sent += send(5, to: users, at: now) }
            exchange(instances, at: now)
        }
        // A minute at ten a second and one burst; a burst of each other instance at the most before the reports arrive.
        #expect(600...(600 + 30 + 2 * 30) ~= sent)
    }

    @Test func usageElsewhereReducesTheAllowanceHere() {
        let one = UserDirectory(messageRate: 10)
        let two = UserDirectory(messageRate: 10)
        #expect(send(24, to: one, at: moment(0)) == 24)
        exchange([one, two], at: moment(100))
        // Reported in portions of an eighth of a burst.
        #expect(send(30, to: two, at: moment(100)) == 6)
    }

    @Test func littleUsageIsNotReported() {
        let users = UserDirectory(messageRate: 10)
        for second in 0..<100 { #expect(send(1, to: users, at: moment(Int64(second) * 1000)) == 1) }
        #expect(users.takeUnreportedUsage().isEmpty)
    }

    @Test func theFirstNewsIsAnnouncedOnce() {
        let users = UserDirectory(messageRate: 10)
        let verdicts = (0..<12).map { _ in users.countMessage(of: ann, at: moment(0)) }
        #expect(verdicts.count { $0 == .allowedWithReport } == 1)
        #expect(users.takeUnreportedUsage() == [ann: 12])
        #expect(users.takeUnreportedUsage().isEmpty)
    }

    @Test func aUserOwesABurstAtMost() {
        let users = UserDirectory(messageRate: 10)
        users.noteUsageElsewhere(1_000_000, of: ann, at: moment(0))
        users.noteUsageElsewhere(-5, of: ann, at: moment(0))
        #expect(users.wait(of: ann, at: moment(0)) == 3100)
        #expect(users.wait(of: ann, at: moment(3100)) == nil)
    }

    @Test func aUserKnownOnlyFromReportsIsForgotten() {
        let users = UserDirectory(messageRate: 10)
        users.noteUsageElsewhere(20, of: ann, at: moment(0))
        #expect(users.count == 1)
        users.sweep(at: moment(2000))
        #expect(users.count == 0)
    }

    @Test func spendingsTravel() {
        let message = InstanceMessage.usage([
            UserUsage(user: ann, count: 7), UserUsage(user: UserID(unchecked: "böb"), count: 1),
        ])
        #expect(InstanceMessage(decoding: message.encoded) == message)
        let forged = #"{"kind":"spent","users":["ann","eve",7],"counts":[-1,1e99,1]}"#
        #expect(InstanceMessage(decoding: Array(forged.utf8)) == .usage([]))
        #expect(InstanceMessage(decoding: Array(#"{"kind":"spent","users":["ann"],"counts":[]}"#.utf8)) == nil)
    }
}

extension UserDirectory {
    /// Counts a message; the milliseconds to wait when it is one too many.
    func wait(of user: UserID, at now: Moment) -> Int64? {
        if case .tooFast(let wait) = countMessage(of: user, at: now) { wait.wholeMilliseconds } else { nil }
    }
}
