import Testing

@testable import ChatCore

@Suite struct LoopTimerTests {
    @Test(arguments: [0, 1, 0xFFFF_FFFF, 0x1_0000_0000, 0xAB_CDEF_0123_4567, 1 << 56 - 1] as [UInt64])
    func aTimerKeepsItsValue(_ value: UInt64) { #expect(LoopTimer(value).value == value) }

    @Test func anOptionalTimerTakesAWord() { #expect(MemoryLayout<LoopTimer?>.size == 8) }
}
