import Synchronization
import Testing
import Workers

@Suite struct WorkQueueTests {
    @Test func jobsComeInOrderAndAllAtOnce() {
        let queue = WorkQueue<Int>(capacity: 5000)
        for job in 0..<3000 { #expect(queue.post(job)) }
        #expect(queue.next() == 0)
        #expect(queue.nextBatch(limit: 2) == [1, 2])
        for job in 3..<2500 where queue.next() != job { Issue.record("job \(job) out of order") }
        #expect(queue.post(3000))
        queue.close()
        #expect(queue.nextBatch(limit: 10_000) == Array(2500...3000))
        #expect(queue.nextBatch(limit: 10) == nil)
        #expect(queue.next() == nil)
    }

    @Test func aFullOrClosedQueueRefuses() {
        let queue = WorkQueue<Int>(capacity: 2)
        #expect(queue.post(1) && queue.post(2))
        #expect(!queue.post(3))
        #expect(queue.next() == 1)
        #expect(queue.post(3))
        queue.close()
        #expect(!queue.post(4))
        #expect(queue.nextBatch(limit: 10) == [2, 3])
    }

    @Test func everyJobIsTakenOnceByManyThreads() async throws {
        let queue = WorkQueue<Int>(capacity: 100_000)
        let taken = Taken()
        let threads = try (0..<4).map { index in
            try WorkerThread(name: "taker \(index)") {
                while let job = queue.next() { taken.jobs.withLock { $0.append(job) } }
            }
        }
        for job in 0..<5000 { #expect(queue.post(job)) }
        queue.close()
        for thread in threads { await thread.finished() }
        #expect(taken.jobs.withLock { $0.sorted() } == Array(0..<5000))
    }
}

private final class Taken: Sendable {
    let jobs = Mutex<[Int]>([])
}
