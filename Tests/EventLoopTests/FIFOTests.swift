import Testing

@testable import EventLoop

@Suite struct FIFOTests {
    @Test func aQueueKeepsItsOrderThroughManyTurns() {
        var queue = FIFO<Int>()
        var (next, expected) = (0, 0)
        for round in 0..<200 {
            for _ in 0..<(round % 37) * 9 {
                queue.append(next)
                next += 1
            }
            for _ in 0..<(round % 31) * 9 {
                guard let item = queue.popFirst() else { break }
                #expect(item == expected)
                expected += 1
            }
        }
        #expect(queue.count == next - expected)
        while let item = queue.popFirst() {
            #expect(item == expected)
            expected += 1
        }
        #expect(expected == next)
    }
}
