import TestSupport
import Testing

@testable import Engine

@Suite struct OutputQueueTests {
    private var queue = OutputQueue()

    /// Writes once, of which the socket takes at most `limit` bytes.
    private mutating func write(taking limit: Int, scratch: Int = 64) -> [UInt8] {
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: scratch, alignment: 16)
        defer { space.deallocate() }
        return queue.write(scratch: space) { bytes in
            let taken = Array(bytes.prefix(limit))
            return (taken.count, taken)
        }
    }

    /// The bytes that one write offers; nothing is taken.
    private mutating func offered(scratch: Int) -> Int {
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: scratch, alignment: 16)
        defer { space.deallocate() }
        return queue.write(scratch: space) { (0, $0.count) }
    }

    @Test mutating func dripsOutAtEverySize() {
        let chunks = (0..<40).map { index in (0..<(index * 7 % 33)).map { UInt8(truncatingIfNeeded: index * 31 + $0) } }
        let whole = chunks.flatMap { $0 }
        for size in 1...70 {
            for chunk in chunks { queue.append(chunk) }
            #expect(queue.count == whole.count)
            var out: [UInt8] = []
            while !queue.isEmpty {
                out += write(taking: size)
                guard queue.count == whole.count - out.count else { break }
            }
            #expect(out == whole, "taking \(size) at a time")
            #expect(queue.count == 0)
        }
    }

    @Test mutating func gathersSmallChunksIntoOneWriteAndHandsOutBigOnesAsTheyAre() {
        for byte in 0..<10 { queue.append([UInt8(byte), UInt8(byte)]) }
        #expect(offered(scratch: 64) == 20)
        #expect(offered(scratch: 8) == 8)
        #expect(write(taking: .max) == (0..<10).flatMap { [UInt8($0), UInt8($0)] })
        queue.append([UInt8](repeating: 1, count: 1000))
        queue.append([2])
        #expect(offered(scratch: 64) == 1000)
        #expect(write(taking: 990).count == 990)
        #expect(write(taking: .max) == [UInt8](repeating: 1, count: 10) + [2])
        #expect(queue.isEmpty)
    }

    @Test mutating func aRefusedWriteChangesNothing() {
        queue.append([1, 2])
        queue.append([3])
        #expect(write(taking: 0) == [])
        #expect(queue.count == 3)
        #expect(write(taking: .max) == [1, 2, 3])
    }

    @Test mutating func emptyChunksCountForNothing() {
        queue.append([])
        #expect(queue.isEmpty)
        queue.append([1])
        queue.append([])
        queue.append([2])
        #expect(write(taking: .max) == [1, 2])
    }

    @Test mutating func aChunkThatWasBegunIsFinishedAndTheRestDropped() {
        queue.append([1, 2, 3, 4])
        queue.append([5, 6])
        _ = write(taking: 3)
        queue.dropUnbegun()
        #expect(queue.count == 1)
        queue.append([9])
        #expect(write(taking: .max) == [4, 9])
    }

    @Test mutating func chunksThatWereNotBegunAreAllDropped() {
        queue.append([1, 2])
        queue.append([3])
        queue.dropUnbegun()
        #expect(queue.isEmpty)
        queue.append([7])
        queue.append([8])
        _ = write(taking: 1)
        // The write ended exactly between two chunks: the second is not begun.
        queue.dropUnbegun()
        #expect(queue.isEmpty)
    }

    @Test(arguments: 0..<40) mutating func randomUseComesOutAsOneStream(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        var expected: [UInt8] = []
        var out: [UInt8] = []
        let scratch = Int.random(in: 1...200, using: &random)
        for _ in 0..<2000 {
            if random.chance(3, in: 5) {
                let chunk = (0..<Int.random(in: 0...150, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                queue.append(chunk)
                expected += chunk
            } else if !queue.isEmpty {
                out += write(taking: Int.random(in: 0...400, using: &random), scratch: scratch)
            }
            guard queue.count == expected.count - out.count else {
                Issue.record("counted \(queue.count) of \(expected.count - out.count)")
                return
            }
        }
        while !queue.isEmpty { out += write(taking: 50, scratch: scratch) }
        #expect(out == expected)
    }
}

@Suite struct QueueAllowanceTests {
    private var allowance = QueueAllowance()

    private mutating func admits(_ bytes: Int, behind queued: Int) -> Bool {
        allowance.admits(bytes, behind: queued, mark: 100, limit: 200)
    }

    @Test mutating func shortChunksFillTheQueueToItsLimit() {
        #expect(admits(50, behind: 90))
        #expect(admits(60, behind: 140))
        #expect(!admits(1, behind: 200))
    }

    @Test mutating func aLongAnswerIsTakenWhereLittleWaitsAndChunksBehindItAreCountedWithoutIt() {
        #expect(admits(1000, behind: 100))
        #expect(admits(100, behind: 1100))
        #expect(!admits(1, behind: 1200))
        // The long answer was taken by now; chunks are counted as before it.
        #expect(admits(10, behind: 95))
        #expect(!admits(100, behind: 105))
        #expect(!admits(1000, behind: 105))
    }
}

@Suite struct HTTPDateTests {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"),
    ]) func isWrittenAsRFC9110Wants(_ seconds: Int64, _ text: String) {
        #expect(HTTPDate.string(seconds) == text)
    }
}
