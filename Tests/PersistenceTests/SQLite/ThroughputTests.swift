import ChatDomain
import Dispatch
import Foundation
import PersistenceSQLite
import TestSupport
import Testing

/// The cost of storing on this machine. Run it in release, by itself:
///
///     STORE_FIGURES=1 swift test -c release -Xswiftc -enable-testing --filter ThroughputTests
@Suite(.enabled(if: ProcessInfo.processInfo.environment["STORE_FIGURES"] != nil), .serialized)
struct ThroughputTests {
    private static let rooms = (0..<500).map { RoomID(unchecked: "room-\($0)") }
    private let drafts = Drafts()

    @Test(arguments: [1, 8, 64], [false, true])
    func costOfABatch(_ size: Int, withClientIDs: Bool) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SQLiteStore(directory: home.directory, options: StoreOptions(), commitSpacing: .zero)
        let total = size == 1 ? 10_000 : 40_000
        let writes = (0..<total).map { index in
            RoomWrite(
                roomID: Self.rooms[Int.random(in: 0..<500)], lastKnown: 0,
                messages: [
                    drafts.next(
                        String(repeating: "x", count: 100), by: "user-\(index % 997)",
                        client: withClientIDs ? UUID().uuidString : nil)
                ])
        }
        let done = DispatchSemaphore(value: 0)
        func run(_ range: Range<Int>) {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
                store.commit(Array(writes[start..<min(start + size, range.upperBound)])) { outcomes in
                    precondition(outcomes.allSatisfy { $0.drafts[0].storedSequence != nil })
                    done.signal()
                }
                done.wait()
            }
        }
        let warm = total / 5
        run(0..<warm)
        let (wall, cpu) = await measure { run(warm..<total) }
        let count = Double(total - warm)
        report(
            "batch \(size)\(withClientIDs ? ", client ids" : "")", count: count, commits: count / Double(size), wall,
            cpu)
        await store.close()
    }

    /// Messages that come evenly from many rooms, each handed over as it comes; without waiting, and as configured.
    @Test(arguments: [500, 2000, 8000], [0, 1, 2, 4])
    func costAtARate(_ perSecond: Int, spacingMilliseconds: Int) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SQLiteStore(
            directory: home.directory, options: StoreOptions(), commitSpacing: .milliseconds(spacingMilliseconds))
        let total = perSecond * 4
        let writes = (0..<total).map { index in
            RoomWrite(
                roomID: Self.rooms[Int.random(in: 0..<500)], lastKnown: 0,
                messages: [drafts.next(String(repeating: "x", count: 100), by: "user-\(index % 997)")])
        }
        let done = Countdown(total)
        let latencies = CallbackLog<Duration>()
        let (wall, cpu) = await measure {
            let start = ContinuousClock.now
            for next in 0..<total {
                let due = start + .microseconds(next * 1_000_000 / perSecond)
                let early = (due - ContinuousClock.now) / .microseconds(1)
                if early > 0 { usleep(UInt32(early)) }
                store.commit([writes[next]]) { _ in
                    latencies.add(ContinuousClock.now - due)
                    done.hit()
                }
            }
            await done.finished()
        }
        let sorted = latencies.entries.map { $0 / .milliseconds(1) }.sorted()
        report("\(perSecond)/s, spacing \(spacingMilliseconds) ms", count: Double(total), commits: nil, wall, cpu)
        print(String(format: "  stored after ms: p50 %.2f, p99 %.2f", sorted[total / 2], sorted[total * 99 / 100]))
        await store.close()
    }

    private func measure(_ body: () async -> Void) async -> (wall: Double, cpu: Double) {
        let (start, before) = (ContinuousClock.now, Self.cpu)
        await body()
        return ((ContinuousClock.now - start) / .microseconds(1), Self.cpu - before)
    }

    /// Microseconds the store's threads have computed, in the kernel too (as Linux counts them).
    private static var cpu: Double {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.reduce(0) { sum, task in
            guard let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8),
                name.hasPrefix("sqlite-"),
                let times = try? String(contentsOfFile: "/proc/self/task/\(task)/schedstat", encoding: .utf8),
                let nanoseconds = times.split(separator: " ").first.flatMap({ Double($0) })
            else { return sum }
            return sum + nanoseconds / 1000
        }
    }

    private func report(_ name: String, count: Double, commits: Double?, _ wall: Double, _ cpu: Double) {
        var line = String(
            format: "%@: %.1f µs CPU/message, %.0f messages/s", name, cpu / count, count / wall * 1_000_000)
        if let commits {
            line += String(format: ", %.1f µs CPU/commit, %.0f commits/s", cpu / commits, commits / wall * 1_000_000)
        }
        print(line)
    }
}
