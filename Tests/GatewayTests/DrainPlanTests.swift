import Testing

@testable import Gateway

@Suite struct DrainPlanTests {
    @Test func aloneItTakesTheTimeItHas() {
        #expect(DrainPlan(sessions: 50, others: 0, limit: 10_000).spread == 10_000)
    }

    @Test func othersTakeFiveHundredEachASecond() {
        #expect(DrainPlan(sessions: 50, others: 1, limit: 10_000).spread == 100)
        #expect(DrainPlan(sessions: 2000, others: 1, limit: 10_000).spread == 4000)
        #expect(DrainPlan(sessions: 2000, others: 4, limit: 10_000).spread == 1000)
    }

    @Test func itNeverTakesLongerThanItMay() {
        #expect(DrainPlan(sessions: 100_000, others: 1, limit: 10_000).spread == 10_000)
        #expect(DrainPlan(sessions: 100_000, others: 0, limit: -1).spread == 0)
        #expect(DrainPlan(sessions: 0, others: 3, limit: 10_000).spread == 0)
        #expect(DrainPlan(sessions: 50, others: .max, limit: 10_000).spread == 0)
        #expect(DrainPlan(sessions: 50, others: .min, limit: 10_000).spread == 10_000)
    }
}
