import ChatDomain
import Testing

@testable import ChatService

@Suite struct PresenceLedgerTests {
    var ledger = PresenceLedger(users: 3, watched: [0..<2, 1..<3])

    @Test mutating func eachChangeIsOwedToWhoNamedTheUser() {
        ledger.expect(.online, of: 0, at: 10)
        ledger.expect(.online, of: 1, at: 20)
        #expect(ledger.owed == 3)
        ledger.hear(.online, of: 1, by: 0, at: 25)
        ledger.hear(.online, of: 1, by: 1, at: 27)
        #expect((ledger.missing, ledger.unexpected) == (1, 0))
        #expect(ledger.latencies == [5, 7])
        ledger.hear(.online, of: 0, by: 0, at: 30)
        #expect(ledger.missing == 0)
    }

    @Test mutating func whatNobodyIsOwedIsUnexpected() {
        ledger.hear(.online, of: 0, by: 0, at: 1)
        ledger.expect(.online, of: 0, at: 2)
        ledger.expect(.busy, of: 0, at: 3)
        ledger.hear(.busy, of: 0, by: 0, at: 4)
        ledger.hear(.online, of: 0, by: 1, at: 5)
        #expect((ledger.delivered, ledger.unexpected) == (0, 3))
        ledger.hear(.online, of: 0, by: 0, at: 6)
        ledger.hear(.busy, of: 0, by: 0, at: 7)
        ledger.hear(.busy, of: 0, by: 0, at: 8)
        #expect((ledger.delivered, ledger.missing, ledger.unexpected) == (2, 0, 4))
    }

    @Test func watchersShareTheUsers() throws {
        let options = try PresenceBenchOptions(parsing: ["churn", "--clients", "2500"])
        #expect(throws: UsageError.self) {
            try PresenceBenchOptions(parsing: ["churn", "--clients", "2500", "--watchers", "2"])
        }
        #expect(options.watched == [0..<834, 834..<1668, 1668..<2500])
        let watching = try PresenceBenchOptions(parsing: ["watch", "--clients", "10", "--watchers", "2"])
        #expect(watching.watched == [0..<10, 0..<10])
        let pair = try PresenceBenchOptions(parsing: ["flap", "--clients", "1", "--other", "http://127.0.0.1:1"])
        #expect(pair.watched == [0..<1, 1..<1])
    }
}
