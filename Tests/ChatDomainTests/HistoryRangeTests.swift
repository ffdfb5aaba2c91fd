import TestSupport
import Testing

@testable import ChatDomain

@Suite struct HistoryRangeTests {
    private static let extremes: [Int64] = [
        .min, .min + 1, -100_000_000_000_000_000, -1, 0, 1, 2, 50, 9_007_199_254_740_990, 9_007_199_254_740_991,
        9_007_199_254_740_992, .max - 1, .max,
    ]

    private func check(_ query: HistoryQuery, newest: SequenceNumber) {
        let range = HistoryRange(query, newest: newest)
        let base = MessageNumbers.mark(query.base)
        guard !range.isEmpty else { return }
        #expect(range.first > base && range.last <= MessageNumbers.mark(newest))
        #expect(range.last - range.first < 1000)
        #expect(range.hasMoreBefore == (range.first > base + 1))
        #expect(range.hasMoreAfter == (range.last < newest))
    }

    @Test func noNumbersAreTooLargeOrTooSmall() {
        for cursor in Self.extremes {
            for base in Self.extremes {
                for newest in Self.extremes {
                    for limit in [Int.min, -1, 0, 1, 50, 1000, .max] {
                        for cursor: HistoryQuery.Cursor in [
                            .latest, .before(cursor), .after(cursor), .around(cursor),
                        ] {
                            check(HistoryQuery(cursor, limit: limit, base: base), newest: newest)
                        }
                    }
                }
            }
        }
    }

    @Test func randomPagesLieWithinTheRoom() {
        var random = SplitMix(seed: 3)
        for _ in 0..<20_000 {
            let cursor = Int64.random(in: -5...3000, using: &random)
            let cursors: [HistoryQuery.Cursor] = [.latest, .before(cursor), .after(cursor), .around(cursor)]
            let query = HistoryQuery(
                cursors[Int.random(in: 0..<4, using: &random)], limit: Int.random(in: -2...1100, using: &random),
                base: Int64.random(in: 0...50, using: &random))
            check(query, newest: Int64.random(in: 0...3000, using: &random))
        }
    }
}
