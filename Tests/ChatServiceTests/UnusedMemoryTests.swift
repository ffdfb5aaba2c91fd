import Foundation
import Testing

@testable import ChatService

@Suite struct UnusedMemoryTests {
    private let start = ContinuousClock.now

    @Test func memoryIsReleasedWhileThereIsLittleToDo() {
        var schedule = ReleaseSchedule(at: start, processorSeconds: 10)
        let busy = schedule.isDue(at: start + .seconds(2), processorSeconds: 11)
        #expect(!busy)
        let quiet = schedule.isDue(at: start + .seconds(4), processorSeconds: 11.1)
        #expect(quiet)
    }

    @Test func aProcessThatIsAlwaysBusyReleasesItOnceAMinute() {
        var schedule = ReleaseSchedule(at: start, processorSeconds: 0)
        let due = (1...90).filter { schedule.isDue(at: start + .seconds(2 * $0), processorSeconds: 2 * Double($0)) }
        #expect(due == [30, 60, 90])
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
            let before = residentBytes()
            UnusedMemory.release()
            #expect(residentBytes() < before - (40 << 20))
            parts.last?.deallocate()
        }

        private func residentBytes() -> Int {
            let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ")
            return (fields.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0) * sysconf(Int32(_SC_PAGESIZE))
        }
    #endif

    @Test func noTimeBetweenTwoLooksIsNoLoad() {
        var schedule = ReleaseSchedule(at: start, processorSeconds: 0)
        let due = schedule.isDue(at: start, processorSeconds: 0)
        #expect(!due)
    }
}
