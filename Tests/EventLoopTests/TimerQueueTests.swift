import TestSupport
import Testing

@testable import EventLoop

@Suite struct TimerQueueTests {
    /// Runs the due timers; returns those that ran.
    private final class Record {
        var ran: [Int] = []
    }

    private func run(_ queue: inout TimerQueue, at now: Int64) {
        while let action = queue.popDue(at: now) { action() }
    }

    @Test func actionsRunByDeadlineAndThenInTheOrderTheyWereAdded() {
        var queue = TimerQueue()
        let record = Record()
        for (index, deadline) in [30, 10, 20, 10, 30, 20].enumerated() {
            _ = queue.add(deadline: Int64(deadline)) { record.ran.append(index) }
        }
        #expect(queue.nextDeadline == 10)
        run(&queue, at: 9)
        #expect(record.ran.isEmpty)
        run(&queue, at: 20)
        #expect(record.ran == [1, 3, 2, 5])
        #expect(queue.nextDeadline == 30)
        run(&queue, at: 1000)
        #expect(record.ran == [1, 3, 2, 5, 0, 4])
        #expect(queue.nextDeadline == nil)
    }

    @Test func aCancelledTimerDoesNotRun() {
        var queue = TimerQueue()
        let record = Record()
        let ids = (0..<5).map { index in queue.add(deadline: Int64(index)) { record.ran.append(index) } }
        queue.cancel(ids[0])
        #expect(queue.nextDeadline == 1)
        queue.cancel(ids[3])
        queue.cancel(ids[3])
        run(&queue, at: 2)
        queue.cancel(ids[1])
        run(&queue, at: 10)
        #expect(record.ran == [1, 2, 4])
        #expect(queue.nextDeadline == nil)
    }

    @Test func anOldIdDoesNotCancelTheTimerThatHasItsPlace() {
        var queue = TimerQueue()
        let record = Record()
        let old = queue.add(deadline: 1) { record.ran.append(0) }
        queue.cancel(old)
        _ = queue.add(deadline: 2) { record.ran.append(1) }
        queue.cancel(old)
        queue.cancel(TimerID(.max))
        run(&queue, at: 2)
        #expect(record.ran == [1])
    }

    @Test func aTimerThatIsOverKeepsNothingAlive() {
        var queue = TimerQueue()
        weak var (cancelled, run): (Record?, Record?)
        do {
            let records = (Record(), Record())
            (cancelled, run) = records
            queue.cancel(queue.add(deadline: 1) { [record = records.0] in record.ran.append(0) })
            _ = queue.add(deadline: 1) { [record = records.1] in record.ran.append(0) }
        }
        #expect(cancelled == nil && run != nil)
        queue.popDue(at: 1)?()
        #expect(run == nil)
    }

    @Test func anActionMayCancelAnotherOfItsOwnMoment() {
        var queue = TimerQueue()
        let record = Record()
        _ = queue.add(deadline: 1) { record.ran.append(0) }
        let second = queue.add(deadline: 1) { record.ran.append(1) }
        queue.popDue(at: 1)?()
        queue.cancel(second)
        run(&queue, at: 1)
        #expect(record.ran == [0])
    }

    @Test(arguments: 0..<10) func manyTimersRunInOrder(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var queue = TimerQueue()
        var pending: [Int: (deadline: Int64, id: TimerID)] = [:]
        let record = Record()
        var ran = 0
        for number in 0..<5000 {
            let deadline = Int64(number) + Int64.random(in: 0...500, using: &random)
            pending[number] = (deadline, queue.add(deadline: deadline) { record.ran.append(number) })
            // Most timers of a server are cancelled long before they are due.
            if random.chance(3, in: 4), let victim = pending.keys.min(by: { _, _ in random.chance(1, in: 2) }) {
                if let timer = pending.removeValue(forKey: victim) { queue.cancel(timer.id) }
            }
            run(&queue, at: Int64(number))
            let due = pending.filter { $0.value.deadline <= Int64(number) }
            let expected = due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.key)
            guard Array(record.ran[ran...]) == expected else {
                Issue.record("at \(number): ran \(record.ran[ran...]), not \(expected)")
                return
            }
            ran = record.ran.count
            for key in expected { pending[key] = nil }
            guard queue.nextDeadline == pending.values.map(\.deadline).min() else {
                Issue.record("at \(number): the next deadline is wrong")
                return
            }
        }
        #expect(ran > 100)
    }
}
