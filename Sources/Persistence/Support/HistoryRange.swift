import ChatDomain

/// Which numbers a history query asks for. Numbers have no holes, so a page is a range of them.
struct HistoryRange: Hashable {
    /// Empty when `first` is above `last`.
    var first: SequenceNumber
    var last: SequenceNumber
    var hasMoreBefore: Bool
    var hasMoreAfter: Bool

    var isEmpty: Bool { first > last }

    /// - Parameter newest: the room's newest number, 0 for none.
    init(_ query: HistoryQuery, newest: SequenceNumber) {
        let base = max(0, query.base)
        let newest = max(newest, base)
        let limit = SequenceNumber(
            min(max(query.limit, HistoryQuery.limits.lowerBound), HistoryQuery.limits.upperBound))
        /// Cursors far outside mean the ends; clamped, they cannot overflow either.
        func within(_ cursor: SequenceNumber) -> SequenceNumber { min(max(cursor, base), newest + 1) }

        switch query.cursor {
        case .latest:
            last = newest
            first = last - limit + 1
        case .before(let cursor):
            last = within(cursor) - 1
            first = last - limit + 1
        case .after(let cursor):
            first = within(cursor) + 1
            last = first + limit - 1
        case .around(let cursor):
            let half = (limit + 1) / 2
            first = min(within(cursor), newest) - half + 1
            last = within(cursor) + limit - half
        }
        first = max(first, base + 1)
        last = min(last, newest)
        hasMoreBefore = min(first, newest + 1) > base + 1
        hasMoreAfter = max(last, base) < newest
    }
}
