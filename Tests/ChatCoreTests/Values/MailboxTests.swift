import Synchronization
import Testing

@testable import ChatCore

@Suite struct MailboxTests {
    private final class Wakes: Sendable {
        private let number = Mutex(0)
        var count: Int { number.withLock { $0 } }
        func add() { number.withLock { $0 += 1 } }
    }

    @Test func oneWakeUpHoweverManyMessages() {
        let wakes = Wakes()
        let mailbox = Mailbox<Int> { wakes.add() }
        var batch: [Int] = []
        for number in 0..<10 { mailbox.post(number) }
        #expect(wakes.count == 1)
        mailbox.takeAll(leaving: &batch)
        #expect(batch == Array(0..<10))
        batch = []
        mailbox.post(10)
        #expect(wakes.count == 2)
        mailbox.takeAll(leaving: &batch)
        #expect(batch == [10])
    }

    @Test func nothingIsLostAndASendersOrderIsKept() async {
        let mailbox = Mailbox<(sender: Int, number: Int)> {}
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask { for number in 0..<5000 { mailbox.post((sender, number)) } }
            }
        }
        var all: [(sender: Int, number: Int)] = []
        mailbox.takeAll(leaving: &all)
        for sender in 0..<4 { #expect(all.filter { $0.sender == sender }.map(\.number) == Array(0..<5000)) }
    }
}
