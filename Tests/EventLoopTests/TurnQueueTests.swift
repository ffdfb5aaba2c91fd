import EventLoop
import Testing

@Suite struct TurnQueueTests {
    @Test func handsOutWhatWasGatheredOnceAndInOrder() {
        var queue = TurnQueue<Int>()
        for round in 0..<5 {
            queue.append(round)
            queue.append(round + 10)
            var batch = queue.take()
            #expect(batch == [round, round + 10])
            #expect(queue.isEmpty)
            queue.append(99)
            queue.recycle(&batch)
            var next = queue.take()
            #expect(next == [99])
            queue.recycle(&next)
        }
    }

    @Test func keepsTheMemoryOfABatch() {
        var queue = TurnQueue<Int>()
        func turn() -> Int {
            for number in 0..<100 { queue.append(number) }
            var batch = queue.take()
            let address = batch.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
            queue.recycle(&batch)
            return address
        }
        let first = turn(), second = turn(), third = turn()
        #expect(third == first || third == second)
    }
}
