/// Which numbers a history query asks for. Numbers have no holes (unless an operator erased messages), so a page is a range
/// of them.
package struct HistoryRange: Hashable {
    /// Empty when `first` is above `last`.
    package var first: SequenceNumber
    package var last: SequenceNumber
    package var hasMoreBefore: Bool
    package var hasMoreAfter: Bool
    /// The last of the older half of a page around a message; nil for other pages.
    private var middle: SequenceNumber?
    /// Whether the oldest of it matter most: those behind the cursor.
    private let isOldestFirst: Bool

    package var isEmpty: Bool { first > last }

    /// - Parameter newest: the room's newest number, 0 for none.
    package init(_ query: HistoryQuery, newest: SequenceNumber) {
        let base = MessageNumbers.mark(query.base)
        let newest = max(MessageNumbers.mark(newest), base)
        let limit = SequenceNumber(
            min(max(query.limit, HistoryQuery.limits.lowerBound), HistoryQuery.limits.upperBound))
        /// Cursors far outside mean the ends; clamped, they cannot overflow either.
        func within(_ cursor: SequenceNumber) -> SequenceNumber { min(max(cursor, base), newest + 1) }

        isOldestFirst = if case .after = query.cursor { true } else { false }
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
            middle = min(within(cursor), newest)
        }
        first = max(first, base + 1)
        last = min(last, newest)
        hasMoreBefore = min(first, newest + 1) > base + 1
        hasMoreAfter = max(last, base) < newest
    }

    /// A part of the page, to be read from the message that matters most towards those that matter least.
    package struct Stretch: Hashable {
        package var first: SequenceNumber
        package var last: SequenceNumber
        package var isNewestFirst: Bool
        /// The most that it may weigh, in bytes of JSON.
        package var bytes: Int

        package static let nothing = Self(first: 1, last: 0, isNewestFirst: true, bytes: 0)

        package var count: Int { max(0, Int(last - first) + 1) }
    }

    package var stretches: [Stretch] {
        let bytes = HistoryPage.maximumBytes
        guard let middle else {
            return [Stretch(first: first, last: last, isNewestFirst: !isOldestFirst, bytes: bytes)]
        }
        return [
            Stretch(first: first, last: min(middle, last), isNewestFirst: true, bytes: bytes / 2),
            Stretch(first: max(middle + 1, first), last: last, isNewestFirst: false, bytes: bytes / 2),
        ].filter { $0.count > 0 }
    }

    /// Reads the page's stretches; `read` gives the messages of each in the order it asks for, as far as the budget goes.
    package func page<Failure: Error>(
        _ read: (Stretch, inout PageBudget) throws(Failure) -> [Message]
    ) throws(Failure) -> HistoryPage {
        var parts: [HistoryPart] = []
        for stretch in isEmpty ? [] : stretches {
            var budget = PageBudget(bytes: stretch.bytes)
            let found = try read(stretch, &budget)
            parts.append(
                HistoryPart(
                    stretch: stretch, messages: stretch.isNewestFirst ? found.reversed() : found,
                    isFull: budget.isSpent))
        }
        return page(of: parts)
    }

    /// The page that parts read make, the older before the newer.
    package func page(of parts: [HistoryPart]) -> HistoryPage {
        HistoryPage(
            messages: parts.flatMap(\.messages),
            hasMoreBefore: hasMoreBefore || parts.contains { $0.isFull && $0.stretch.isNewestFirst },
            hasMoreAfter: hasMoreAfter || parts.contains { $0.isFull && !$0.stretch.isNewestFirst },
            isFull: parts.contains(where: \.isFull))
    }
}

/// The messages read of a stretch, oldest first.
package struct HistoryPart {
    package var stretch: HistoryRange.Stretch
    package var messages: [Message]
    /// Not all of it was read: it weighs too much.
    package var isFull: Bool

    package init(stretch: HistoryRange.Stretch, messages: [Message], isFull: Bool) {
        self.stretch = stretch
        self.messages = messages
        self.isFull = isFull
    }
}
