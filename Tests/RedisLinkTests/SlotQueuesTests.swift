import TestSupport
import Testing

@testable import RedisLink

struct SlotQueuesTests {
    private let slot = HashSlot(of: Array("room".utf8))

    @Test func commandsWaitForTheAnswersOfThePreviousNode() {
        var queues = SlotQueues<Int, Int>()
        for _ in 1...3 { queues.didSend(to: 0, in: slot) }
        #expect(queues.maySend(to: 0, in: slot))
        #expect(!queues.maySend(to: 1, in: slot), "others are at the previous node")
        queues.didAnswer(in: slot)
        #expect(queues.takeOvertaken(by: 1, in: slot) == [])
        queues.didAnswer(in: slot)
        queues.willRepeat(2, 2, in: slot)
        #expect(!queues.maySend(to: 0, in: slot), "it comes behind those that are redirected")
        queues.wait(4, in: slot)
        #expect(queues.takeNext(for: 1, in: slot) == nil)
        queues.didAnswer(in: slot)
        queues.willRepeat(3, 3, in: slot)
        #expect((1...3).map { _ in queues.takeNext(for: 1, in: slot) } == [2, 3, 4])
        #expect(!queues.isWaiting(slot))
        #expect(queues.waitingCount == 0)
    }

    @Test func aCommandThatALaterOneOvertookFails() {
        var queues = SlotQueues<Int, Int>()
        queues.willRepeat(3, 3, in: slot)
        queues.willRepeat(1, 1, in: slot)
        #expect(queues.takeOvertaken(by: 2, in: slot) == [1])
        #expect(queues.takeNext(for: 0, in: slot) == 3)
        #expect(queues.waitingCount == 0)
    }

    @Test func commandsAreTakenOutByACondition() {
        var queues = SlotQueues<Int, Int>()
        let other = HashSlot(of: Array("other".utf8))
        queues.willRepeat(1, 1, in: slot)
        for number in 2...4 { queues.wait(number, in: slot) }
        queues.wait(5, in: other)
        #expect(queues.take { $0 % 2 == 1 }.sorted() == [1, 3, 5])
        #expect(queues.waitingSlots == [slot])
        #expect((1...3).map { _ in queues.takeNext(for: 0, in: slot) } == [2, 4, nil])
        #expect(queues.waitingCount == 0)
    }

    /// A slot moves back and forth between nodes that answer at their own pace. What they execute is in the order of the caller, and
    /// only a command that a later one overtook is not executed.
    @Test(arguments: 0..<200) func theOrderHoldsThroughMoves(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var queues = SlotQueues<Int, Int>()
        var owner = 0
        var known = 0
        var pipelines: [[Int]] = [[], []]
        var executed: [Int] = []
        var failed: [Int] = []
        var next = 1
        func flush() {
            while let number = queues.takeNext(for: known, in: slot) {
                queues.didSend(to: known, in: slot)
                pipelines[known].append(number)
            }
        }
        while next <= 100 || pipelines.contains(where: { !$0.isEmpty }) || queues.isWaiting(slot) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0 where next <= 100: owner = 1 - owner
            // The map is read again.
            case 1: known = owner
            case 2...4 where next <= 100:
                if !queues.maySend(to: known, in: slot) {
                    queues.wait(next, in: slot)
                } else {
                    queues.didSend(to: known, in: slot)
                    pipelines[known].append(next)
                }
                next += 1
            default:
                guard let node = [0, 1].filter({ !pipelines[$0].isEmpty }).randomElement(using: &random) else { break }
                let number = pipelines[node].removeFirst()
                queues.didAnswer(in: slot)
                if node == owner {
                    executed.append(number)
                    failed += queues.takeOvertaken(by: UInt64(number), in: slot)
                } else {
                    known = owner
                    queues.willRepeat(number, UInt64(number), in: slot)
                }
                flush()
            }
        }
        #expect(executed == executed.sorted())
        #expect((executed + failed).sorted() == Array(1...100))
        #expect(executed.count > failed.count)
    }
}
