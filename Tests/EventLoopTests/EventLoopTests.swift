import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EventLoop

/// An actor that lives on a loop.
private actor Resident {
    nonisolated let loop: EventLoop
    private(set) var count = 0

    init(_ loop: EventLoop) { self.loop = loop }

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    func visit() -> Bool {
        count += 1
        return loop.isCurrent
    }

    /// Loop code enters the actor without a hop.
    nonisolated func enter() { assumeIsolated { $0.count += 1 } }

    func schedule(_ delays: [Duration], _ log: CallbackLog<Int>) {
        for (index, delay) in delays.enumerated() { loop.schedule(after: delay) { log.add(index) } }
    }

    func scheduleAndCancel(_ log: CallbackLog<Int>) {
        let doomed = loop.schedule(after: .milliseconds(10)) { log.add(0) }
        loop.schedule(after: .milliseconds(5)) { [loop] in loop.cancel(doomed) }
        loop.schedule(after: .milliseconds(30)) { log.add(1) }
    }
}

@Suite struct EventLoopTests {
    @Test func workPostedToASleepingLoopSeesTheCurrentTime() async {
        await withLoop { loop in
            for _ in 0..<5 {
                // Long asleep, by the clock's measure.
                let due = ContinuousClock.now + .milliseconds(60)
                _ = await eventually { .now >= due }
                let lag = await withCheckedContinuation { continuation in
                    let posted = Int64(Date().timeIntervalSince1970 * 1000)
                    loop.post { continuation.resume(returning: posted - loop.wallMilliseconds) }
                }
                #expect(lag <= 1)
            }
        }
    }

    @Test func aLoopThatTurnsAgainDoesNotWait() async {
        let loop = EventLoop(name: "test")
        let turns = CallbackLog<Duration>()
        loop.turnEnd = {
            turns.add(loop.turnTime)
            if turns.entries.count < 5 { loop.turnAgain() }
        }
        loop.start()
        #expect(await eventually { turns.entries.count == 5 })
        #expect(turns.entries == Array(repeating: .zero, count: 5), "there was no input")
        loop.stop()
    }

    @Test func theTimeOfATurnBeginsWithItsInput() async {
        let loop = EventLoop(name: "test")
        let turns = CallbackLog<Duration>()
        loop.turnEnd = { turns.add(loop.turnTime) }
        loop.start()
        #expect(await eventually { turns.entries.count == 1 })
        loop.post {
            let end = ContinuousClock.now + .milliseconds(30)
            while .now < end {}
        }
        #expect(await eventually { turns.entries.count == 2 })
        #expect(turns.entries[1] >= .milliseconds(30))
        loop.stop()
    }

    private func withLoop(_ body: (EventLoop) async throws -> Void) async rethrows {
        let loop = EventLoop(name: "test")
        loop.start()
        try await body(loop)
        loop.stop()
    }

    @Test func aTaskOfTheLoopComesBackToItFromOtherThreads() async {
        await withLoop { loop in
            let places = CallbackLog<Bool>()
            let answered: Bool = await withCheckedContinuation { continuation in
                loop.post {
                    loop.run(
                        {
                            places.add(loop.isCurrent)
                            await withCheckedContinuation { waiting in
                                Thread.detachNewThread { waiting.resume() }
                            }
                            places.add(loop.isCurrent)
                            let isElsewhere = await withTaskExecutorPreference(globalConcurrentExecutor) {
                                !loop.isCurrent
                            }
                            places.add(isElsewhere && loop.isCurrent)
                            return true
                        }, then: { value in continuation.resume(returning: value && loop.isCurrent) })
                }
            }
            #expect(answered && places.entries == [true, true, true])
        }
    }

    @Test func aTaskThatBeginsAtOnceEndsAtOnceWhereItWaitsForNothing() async {
        await withLoop { loop in
            let log = CallbackLog<String>()
            loop.post {
                loop.post { log.add("posted before") }
                loop.runAtOnce({ log.add("task") }, then: { log.add("then") })
                log.add("returned")
            }
            #expect(await eventually { log.entries.count == 4 })
            #expect(log.entries == ["task", "then", "returned", "posted before"])
        }
    }

    @Test func aTaskThatBeginsAtOnceComesBackWhenItHadToWait() async {
        await withLoop { loop in
            let log = CallbackLog<String>()
            loop.post {
                loop.runAtOnce(
                    {
                        log.add("task")
                        await withCheckedContinuation { waiting in
                            Thread.detachNewThread { waiting.resume() }
                        }
                        // One that begins within another does so behind it.
                        loop.run({ log.add("inner") }, then: { log.add("inner then") })
                    }, then: { log.add(loop.isCurrent ? "then" : "elsewhere") })
                log.add("returned")
            }
            #expect(await eventually { log.entries.count == 5 })
            #expect(log.entries == ["task", "returned", "then", "inner", "inner then"])
        }
    }

    @Test func postsOfEachThreadRunOnceAndInTheirOrder() async {
        await withLoop { loop in
            let log = CallbackLog<(thread: Int, number: Int)>()
            for thread in 0..<8 {
                Foundation.Thread.detachNewThread {
                    for number in 0..<2000 { loop.post { log.add((loop.isCurrent ? thread : -1, number)) } }
                }
            }
            #expect(await eventually { log.entries.count == 16_000 })
            for thread in 0..<8 { #expect(log.entries.filter { $0.thread == thread }.map(\.number) == Array(0..<2000)) }
        }
    }

    /// Work of another thread that was posted first is not overtaken by the loop's own.
    @Test func orderedPostsKeepTheirOrderOverThreads() async {
        await withLoop { loop in
            let log = CallbackLog<Int>()
            loop.post {
                let isPosted = DispatchSemaphore(value: 0)
                Thread.detachNewThread {
                    loop.postInOrder { log.add(1) }
                    isPosted.signal()
                }
                isPosted.wait()
                loop.postInOrder { log.add(2) }
                loop.postInOrder { log.add(3) }
            }
            _ = await eventually { log.entries.count == 3 }
            #expect(log.entries == [1, 2, 3])
        }
    }

    @Test func workTheLoopPostsToItselfRunsInTheSameTurn() async {
        let loop = EventLoop(name: "test")
        let log = CallbackLog<String>()
        loop.turnEnd = { log.add("end") }
        loop.start()
        loop.post {
            log.add("outer")
            loop.post {
                log.add("inner")
                loop.post { log.add("innermost") }
            }
        }
        #expect(await eventually { log.entries.contains("innermost") })
        loop.stop()
        // Ends of turns in which nothing ran come at any time before and after.
        let story = log.entries.drop { $0 == "end" }.prefix { $0 != "innermost" }.filter { $0 != "end" }
        #expect(Array(story) == ["outer", "inner"])
        let between = log.entries.drop { $0 != "outer" }
        #expect(between.dropFirst().first == "inner")
    }

    @Test func aTurnEndsBehindItsWork() async {
        let loop = EventLoop(name: "test")
        let log = CallbackLog<Int>()
        let flushed = CallbackLog<Int>()
        loop.turnEnd = { flushed.add(log.entries.count) }
        loop.start()
        for number in 0..<100 { loop.post { log.add(number) } }
        #expect(await eventually { flushed.entries.last == 100 })
        loop.stop()
    }

    @Test func postsBeforeTheStartAreKept() async {
        let loop = EventLoop(name: "test")
        let log = CallbackLog<Int>()
        loop.post { log.add(1) }
        #expect(!loop.isCurrent)
        loop.start()
        #expect(await eventually { log.entries == [1] })
        loop.stop()
    }

    @Test func anActorOnTheLoopRunsThere() async {
        await withLoop { loop in
            let resident = Resident(loop)
            let visits = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<200 { group.addTask { await resident.visit() } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(visits.count == 200 && visits.allSatisfy { $0 })
            #expect(await resident.count == 200)
        }
    }

    @Test func loopCodeEntersItsActorWithoutAHop() async {
        await withLoop { loop in
            let resident = Resident(loop)
            for _ in 0..<100 { loop.post { resident.enter() } }
            #expect(await eventually { await resident.count == 100 })
        }
    }

    @Test func timersFireInOrderAndNotEarly() async {
        await withLoop { loop in
            let log = CallbackLog<Int>()
            let resident = Resident(loop)
            let start = ContinuousClock.now
            await resident.schedule([60, 20, 40, 0, 20].map { .milliseconds($0) }, log)
            #expect(await eventually { log.entries.count == 5 })
            #expect(log.entries == [3, 1, 4, 2, 0])
            #expect(ContinuousClock.now - start >= .milliseconds(55))
        }
    }

    @Test func spansBeyondAllTimeAreKeptInBounds() async {
        await withLoop { loop in
            let log = CallbackLog<Int>()
            loop.post {
                loop.schedule(after: .milliseconds(Int64.max)) { log.add(1) }
                loop.schedule(after: .seconds(Int64.max)) { log.add(2) }
                loop.schedule(after: .seconds(Int64.min)) { log.add(3) }
                loop.schedule(after: .milliseconds(20)) { log.add(4) }
            }
            #expect(await eventually { log.entries.contains(4) })
            #expect(log.entries == [3, 4])
        }
    }

    @Test func theTimeWithoutInputIsWaitedTime() async {
        await withLoop { loop in
            let log = CallbackLog<Duration>()
            loop.post {
                let before = loop.waitedTime
                loop.schedule(after: .milliseconds(50)) { log.add(loop.waitedTime - before) }
                // Work is not waiting.
                let end = ContinuousClock.now + .milliseconds(20)
                while ContinuousClock.now < end {}
            }
            #expect(await eventually { !log.entries.isEmpty })
            let waited = log.entries.first ?? .zero
            #expect(waited >= .milliseconds(25) && waited <= .milliseconds(50))
        }
    }

    @Test func aCancelledTimerDoesNotFire() async {
        await withLoop { loop in
            let log = CallbackLog<Int>()
            await Resident(loop).scheduleAndCancel(log)
            #expect(await eventually { !log.entries.isEmpty })
            #expect(log.entries == [1])
        }
    }

    @Test func stoppingEndsTheThread() async {
        let loop = EventLoop(name: "test")
        let log = CallbackLog<Int>()
        loop.start { log.add(1) }
        loop.stop()
        #expect(await eventually { log.entries == [1] })
        #expect(!loop.isCurrent)
    }
}
