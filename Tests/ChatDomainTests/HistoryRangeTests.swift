import TestSupport
import Testing

@testable import ChatDomain

@Suite struct HistoryRangeTests {
    private static let extremes: [Int64] = [
        .min, .min + 1, -100_000_000_000_000_000, -1, 0, 1, 2, 50, 9_007_199_254_740_990, 9_007_199_254_740_991,
        9_007_199_254_740_992, .max - 1, .max,
    ]

    /// Pages are what a room is where each number is a message's, or each but those at `holes`.
    private func check(_ query: HistoryQuery, newest: SequenceNumber, holes: Set<SequenceNumber> = []) {
        let range = HistoryRange(query, newest: newest)
        let base = MessageNumbers.mark(query.base)
        let newest = max(MessageNumbers.mark(newest), base)
        for stretch in range.stretches where !range.isEmpty {
            #expect(stretch.first > base && stretch.last <= newest && stretch.first <= stretch.last)
            #expect((1...1000).contains(stretch.limit))
        }
        guard newest <= 5000 else { return }
        let numbers = (base + 1...max(newest, base + 1)).filter { $0 <= newest && !holes.contains($0) }
        let page = range.page { stretch, _ in
            let found = numbers.filter { stretch.first <= $0 && $0 <= stretch.last }.map { Message.number($0) }
            return stretch.isNewestFirst
                ? found.suffix(stretch.limit).reversed() : Array(found.prefix(stretch.limit))
        }
        let shown = page.messages.map(\.sequence)
        #expect(shown == shown.sorted() && shown.count <= min(max(query.limit, 1), 1000))
        guard let first = shown.first, let last = shown.last else { return }
        #expect(shown == numbers.filter { first <= $0 && $0 <= last }, "a page leaves nothing out")
        #expect(page.hasMoreBefore == (first > numbers[0]), "\(query) \(newest) \(shown)")
        #expect(page.hasMoreAfter == (last < numbers[numbers.count - 1]), "\(query) \(newest) \(shown)")
    }

    @Test func numbersOfChangesAreNotMissedInPages() {
        var random = SplitMix(seed: 4)
        for _ in 0..<1000 {
            let newest = Int64.random(in: 2...60, using: &random)
            // The first number and the newest are messages'.
            let holes = Set((2..<max(3, newest)).filter { _ in random.chance(1, in: 2) }).subtracting([newest])
            let cursor = Int64.random(in: 0...newest + 1, using: &random)
            for cursor: HistoryQuery.Cursor in [.latest, .before(cursor), .after(cursor), .around(cursor)] {
                check(
                    HistoryQuery(cursor, limit: Int.random(in: 1...20, using: &random)), newest: newest, holes: holes)
            }
        }
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
        for _ in 0..<500 {
            let cursor = Int64.random(in: -5...3000, using: &random)
            let cursors: [HistoryQuery.Cursor] = [.latest, .before(cursor), .after(cursor), .around(cursor)]
            let query = HistoryQuery(
                cursors[Int.random(in: 0..<4, using: &random)], limit: Int.random(in: -2...1100, using: &random),
                base: Int64.random(in: 0...50, using: &random))
            check(query, newest: Int64.random(in: 0...3000, using: &random))
        }
    }
}
