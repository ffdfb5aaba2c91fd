import ChatDomain
import Testing

@testable import ChatCore

@Suite struct RateTableTests {
    @Test func eachKeyHasItsOwnAllowance() {
        let table = RateTable<String>(rate: 2, burst: 3)
        for _ in 0..<3 { #expect(table.count("a", at: moment(0)) == nil) }
        #expect(table.count("a", at: moment(0)) == .milliseconds(500))
        #expect(table.wait("a", at: moment(0)) == .milliseconds(500))
        #expect(table.count("b", at: moment(0)) == nil)
        #expect(table.wait("c", at: moment(0)) == nil)
        #expect(table.count("a", at: moment(500)) == nil)
    }

    @Test func anotherRateHoldsFromThenOn() {
        let table = RateTable<String>(rate: 0, burst: 0)
        for _ in 0..<100 { #expect(table.count("a", at: moment(0)) == nil) }
        table.setRate(1, burst: 2)
        for _ in 0..<2 { #expect(table.count("a", at: moment(0)) == nil) }
        #expect(table.count("a", at: moment(0)) == .seconds(1))
        table.setRate(10, burst: 2)
        #expect(table.count("a", at: moment(0)) == .milliseconds(100))
        table.setRate(0, burst: 0)
        #expect(table.count("a", at: moment(0)) == nil)
    }

    @Test func asToWaitCountsNothing() {
        let table = RateTable<String>(rate: 1, burst: 1)
        for _ in 0..<10 { #expect(table.wait("a", at: moment(0)) == nil) }
        #expect(table.count("a", at: moment(0)) == nil)
    }

    @Test func itsSizeIsBoundedAndTheIdleAreForgottenFirst() {
        let table = RateTable<Int>(rate: 1, burst: 1, capacity: 100)
        #expect(table.count(-1, at: moment(0)) == nil)
        for key in 0..<1000 {
            _ = table.count(key, at: moment(0))
            #expect(table.size <= 100)
            #expect(table.count(-1, at: moment(0)) != nil, "forgotten though it was counted just now")
        }
        #expect(table.count(0, at: moment(0)) == nil, "one counted long ago is forgotten")
    }

    @Test func sweepingForgetsWhatIsWholeAgain() {
        let table = RateTable<String>(rate: 1, burst: 2)
        _ = table.count("a", at: moment(0))
        for _ in 0..<2 { _ = table.count("b", at: moment(0)) }
        table.sweep(at: moment(1000))
        #expect(table.size == 1)
        table.sweep(at: moment(2000))
        #expect(table.size == 0)
    }
}
