import Testing

@testable import WireProtocols

@Suite("Input buffer")
struct InputBufferTests {
    @Test("Bytes go in behind and come out in front")
    func fifo() {
        var buffer = InputBuffer(capacity: 4)
        buffer.load(leftover: [1, 2])
        buffer.append(contentsOf: [3, 4, 5, 6, 7])
        #expect(buffer.count == 7)
        buffer.consume(3)
        #expect(buffer.withUnsafeBytes { Array($0) } == [4, 5, 6, 7])
        #expect(buffer.withUnsafeBytes(in: 1..<3) { Array($0) } == [5, 6])
        #expect(buffer.takeRemainder() == [4, 5, 6, 7])
        #expect(buffer.isEmpty)
        #expect(buffer.takeRemainder() == [])
        buffer.load(leftover: [])
        #expect(buffer.isEmpty)
    }

    @Test("There is always room to read past the end")
    func padding() {
        var buffer = InputBuffer(capacity: 0)
        for step in 0..<300 {
            buffer.append(contentsOf: [UInt8](repeating: 1, count: step % 17))
            buffer.consume(min(step % 5, buffer.count))
            #expect(buffer.storage.count - buffer.end >= InputBuffer.padding)
        }
    }

    @Test("Free space holds at least what was asked for, and only what was written is kept")
    func freeSpace() {
        var buffer = InputBuffer(capacity: 8)
        buffer.append(contentsOf: [9, 9, 9, 9, 9, 9])
        buffer.consume(5)
        let written = buffer.withFreeSpace(atLeast: 100) { space in
            #expect(space.count >= 100)
            space.copyBytes(from: [1, 2, 3] as [UInt8])
            return 2
        }
        #expect(written == 2)
        #expect(buffer.takeRemainder() == [9, 1, 2])
    }

    @Test("Room is made by moving what is left to the front before memory is asked for")
    func compaction() {
        var buffer = InputBuffer(capacity: 1000)
        for _ in 0..<100 {
            buffer.append(contentsOf: [UInt8](repeating: 7, count: 600))
            buffer.consume(600)
        }
        #expect(buffer.storage.count == 1000 + InputBuffer.padding)
    }

    @Test("A slice outlives its consumption")
    func slices() {
        var buffer = InputBuffer()
        buffer.append(contentsOf: [1, 2, 3, 4])
        let slice = buffer.takeSlice(3)
        #expect(buffer.takeRemainder() == [4])
        #expect(slice.count == 3)
        #expect(buffer.bytes(of: slice) == [1, 2, 3])
    }

    @Test("A slice used after its bytes may have gone stops the process")
    func staleSlice() async {
        await #expect(processExitsWith: .failure) {
            var buffer = InputBuffer()
            buffer.append(contentsOf: [1, 2, 3, 4])
            let slice = buffer.takeSlice(3)
            buffer.load(leftover: [])
            _ = buffer.bytes(of: slice)
        }
    }
}
