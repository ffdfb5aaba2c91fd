import EventLoop
import Testing

@testable import Engine

@Suite struct ConnectionOutputTests {
    private var output = ConnectionOutput()

    /// Offers the queue to a kernel that takes `room` bytes.
    private mutating func expectWrite(room: Int) {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)
        defer { scratch.deallocate() }
        var room = room
        let isWhole = output.write(scratch: scratch) { bytes in
            guard room > 0 else { return .wouldBlock }
            let taken = min(room, bytes.count)
            room -= taken
            return .bytes(taken)
        }
        #expect(isWhole)
    }

    private mutating func expectAdmission(
        _ bytes: Int, isDroppable: Bool, limit: Int?, _ expected: ConnectionOutput.Admission
    ) {
        let admission = output.admit(bytes, isDroppable: isDroppable, limit: limit)
        #expect(admission == expected)
    }

    private mutating func expectDrainAction(_ isExpected: Bool) {
        let action = output.takeDrainAction()
        #expect((action != nil) == isExpected)
    }

    @Test mutating func aShortWriteBlocksUntilTheSocketIsWritable() {
        output.append([UInt8](repeating: 1, count: 100))
        expectWrite(room: 40)
        #expect(output.isBlocked)
        #expect(output.count == 60)
        expectWrite(room: 40)
        #expect(output.count == 60, "a blocked socket is offered nothing")
        output.didBecomeWritable()
        expectWrite(room: 1000)
        #expect(output.isEmpty && !output.isBlocked)
    }

    @Test mutating func aBrokenSocketIsReported() {
        output.append([1])
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)
        defer { scratch.deallocate() }
        let isWhole = output.write(scratch: scratch) { _ in .failed(32) }
        #expect(!isWhole)
    }

    @Test mutating func pastTheMarkDroppableChunksGoFirst() {
        output.mark = 100
        output.append([UInt8](repeating: 1, count: 90))
        #expect(output.isShort(with: 10))
        #expect(!output.isShort(with: 11))
        expectAdmission(11, isDroppable: true, limit: 200, .dropped)
        expectAdmission(11, isDroppable: false, limit: 200, .admitted)
        output.append([UInt8](repeating: 1, count: 100))
        expectAdmission(11, isDroppable: false, limit: 200, .refused)
    }

    @Test mutating func withoutALimitTheMarkIsTheLimit() {
        output.mark = 100
        expectAdmission(100, isDroppable: false, limit: nil, .admitted)
        expectAdmission(101, isDroppable: false, limit: nil, .refused)
    }

    @Test mutating func aDrainActionIsHandedOutOnceTheQueueIsShort() {
        output.append([UInt8](repeating: 1, count: 100))
        output.drainWaiter = DrainWaiter(bytes: 50, action: {})
        expectDrainAction(false)
        expectWrite(room: 60)
        expectDrainAction(true)
        expectDrainAction(false)
    }

    @Test func aFinalWriteContinuesWhileThePeerTakesSomething() {
        var write = FinalWrite(queuedBytes: 100, stallTimeout: .seconds(1))
        let progress = [99, 10, 10, 0].map { write.hasProgressed(to: $0) }
        #expect(progress == [true, true, false, true])
    }
}
