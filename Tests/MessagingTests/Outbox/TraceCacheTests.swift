import ChatDomain
import MessagingOutbox
import Testing

@Suite struct TraceCacheTests {
    private func id(_ number: UInt32) -> MessageID { MessageID(high: 1, low: number) }

    @Test func theLatestAreRemembered() {
        let book = TraceCache(capacity: 3)
        for number in 1...8 as ClosedRange<UInt32> { book.note("trace \(number)", of: id(number)) }
        #expect((1...5 as ClosedRange<UInt32>).allSatisfy { book.traceparent(of: id($0)) == nil })
        #expect(
            (6...8 as ClosedRange<UInt32>).map { book.traceparent(of: id($0)) } == ["trace 6", "trace 7", "trace 8"])
        // Looking takes nothing away: an event may have to be sent again.
        #expect(book.traceparent(of: id(8)) == "trace 8")
    }
}
