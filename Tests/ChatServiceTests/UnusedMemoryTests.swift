import Testing

@testable import ChatService
@testable import Telemetry

@Suite struct UnusedMemoryTests {
    private let start = ContinuousClock.now

    /// The looks, every two seconds, at which memory is released.
    ///
    /// - Parameters:
    ///   - loads: the processor time of each two seconds, in seconds.
    ///   - span: how long a release takes.
    private func releases(_ loads: [Double], took span: Duration = .zero) -> [Int] {
        var schedule = ReleaseSchedule(at: start, processorSeconds: 10)
        var (used, found) = (10.0, [Int]())
        for (number, load) in loads.enumerated() {
            let now = start + .seconds(2) * (number + 1)
            used += load
            guard schedule.isDue(at: now, processorSeconds: used) else { continue }
            schedule.noteRelease(at: now, took: span)
            found.append(number)
        }
        return found
    }

    @Test func memoryIsReleasedOnceThereIsLittleToDo() {
        #expect(releases([1, 1, 0.1, 0.1]) == [2])
    }

    @Test func aProcessThatDoesNothingReleasesNothing() {
        #expect(releases(Array(repeating: 0.001, count: 200)) == [])
    }

    @Test func aProcessThatIsAlwaysBusyReleasesItOnceAMinute() {
        #expect(releases(Array(repeating: 2, count: 90)) == [29, 59, 89])
    }

    @Test func aReleaseThatTakesLongIsNotRepeatedSoon() {
        let loads = Array(repeating: 0.3, count: 20)
        #expect(releases(loads).count == 20)
        #expect(releases(loads, took: .milliseconds(20)) == [0, 5, 10, 15])
    }

    #if os(Linux)
        /// What was freed below something that stays is kept by the allocator until it is told.
        @Test func freedMemoryGoesBackToTheSystem() {
            let parts = (0..<40_000).map { _ in
                let part = UnsafeMutableRawPointer.allocate(byteCount: 2048, alignment: 16)
                part.initializeMemory(as: UInt8.self, repeating: 1, count: 2048)
                return part
            }
            for part in parts.dropLast() { part.deallocate() }
            let before = ProcessMetrics.residentBytes()
            UnusedMemory.release()
            #expect(ProcessMetrics.residentBytes() < before - Double(40 << 20))
            parts.last?.deallocate()
        }
    #endif

    @Test func noTimeBetweenTwoLooksIsNoLoad() {
        var schedule = ReleaseSchedule(at: start, processorSeconds: 0)
        let due = schedule.isDue(at: start, processorSeconds: 0)
        #expect(!due)
    }
}
