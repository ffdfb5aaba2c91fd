import Testing

@testable import ChatCore

@Suite struct DrainPlanTests {
    @Test func aloneItTakesTheTimeItHas() {
        #expect(DrainPlan(sessions: 50, others: 0, limit: .milliseconds(10_000)).spread == .milliseconds(10_000))
    }

    @Test func othersTakeFiveHundredEachASecond() {
        #expect(DrainPlan(sessions: 50, others: 1, limit: .milliseconds(10_000)).spread == .milliseconds(100))
        #expect(DrainPlan(sessions: 2000, others: 1, limit: .milliseconds(10_000)).spread == .milliseconds(4000))
        #expect(DrainPlan(sessions: 2000, others: 4, limit: .milliseconds(10_000)).spread == .milliseconds(1000))
    }

    @Test func itNeverTakesLongerThanItMay() {
        #expect(DrainPlan(sessions: 100_000, others: 1, limit: .milliseconds(10_000)).spread == .milliseconds(10_000))
        #expect(DrainPlan(sessions: 100_000, others: 0, limit: .milliseconds(-1)).spread == .zero)
        #expect(DrainPlan(sessions: 0, others: 3, limit: .milliseconds(10_000)).spread == .zero)
        #expect(DrainPlan(sessions: 50, others: .max, limit: .milliseconds(10_000)).spread == .zero)
        #expect(DrainPlan(sessions: 50, others: .min, limit: .milliseconds(10_000)).spread == .milliseconds(10_000))
    }
}
