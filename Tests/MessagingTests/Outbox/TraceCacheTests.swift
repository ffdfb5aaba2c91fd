import ChatDomain
import MessagingOutbox
import Testing

@Suite struct TraceCacheTests {
    private func id(_ number: UInt32) -> MessageID { MessageID(high: 1, low: number) }

    @Test func theLatestTracesAreKept() {
        let cache = TraceCache(capacity: 3)
        for number in 1...8 as ClosedRange<UInt32> { cache.note("trace \(number)", of: id(number)) }
        #expect((1...5 as ClosedRange<UInt32>).allSatisfy { cache.traceparent(of: id($0)) == nil })
        #expect(
            (6...8 as ClosedRange<UInt32>).map { cache.traceparent(of: id($0)) } == ["trace 6", "trace 7", "trace 8"])
        // A lookup removes nothing, because an event may be sent again.
        #expect(cache.traceparent(of: id(8)) == "trace 8")
    }
}
