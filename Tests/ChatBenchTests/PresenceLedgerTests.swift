import ChatDomain
import Testing

@testable import ChatBench

@Suite("Ledger of a presence bench")
struct PresenceLedgerTests {
    var ledger = PresenceLedger(users: 3, watched: [0..<2, 1..<3])

    @Test("Each change is owed to each watcher that named the user")
    mutating func owed() {
        ledger.expect(.online, of: 0, at: 10)
        ledger.expect(.online, of: 1, at: 20)
        #expect(ledger.owed == 3)
        ledger.received(.online, of: 1, by: 0, at: 25)
        ledger.received(.online, of: 1, by: 1, at: 27)
        #expect((ledger.missing, ledger.unexpected) == (1, 0))
        #expect(ledger.latencies == [5, 7])
        ledger.received(.online, of: 0, by: 0, at: 30)
        #expect(ledger.missing == 0)
    }

    @Test("Repeated, early and unrelated announcements are unexpected")
    mutating func unexpected() {
        ledger.received(.online, of: 0, by: 0, at: 1)
        ledger.expect(.online, of: 0, at: 2)
        ledger.expect(.busy, of: 0, at: 3)
        ledger.received(.busy, of: 0, by: 0, at: 4)
        ledger.received(.online, of: 0, by: 1, at: 5)
        #expect((ledger.delivered, ledger.unexpected) == (0, 3))
        ledger.received(.online, of: 0, by: 0, at: 6)
        ledger.received(.busy, of: 0, by: 0, at: 7)
        ledger.received(.busy, of: 0, by: 0, at: 8)
        #expect((ledger.delivered, ledger.missing, ledger.unexpected) == (2, 0, 4))
    }

    @Test("An id that no user has is unexpected", arguments: [-1, 3, Int.max, Int.min])
    mutating func strangeUser(user: Int) {
        ledger.received(.online, of: user, by: 0, at: 1)
        #expect(ledger.unexpected == 1)
    }

    @Test("Latencies are taken once")
    mutating func latencies() {
        ledger.expect(.online, of: 0, at: 10)
        ledger.received(.online, of: 0, by: 0, at: 12)
        #expect(ledger.takeLatencies() == [2])
        #expect(ledger.takeLatencies() == [])
    }
}
