/// Where the messages of a page of history are looked for. Changes have numbers too, so a page is bounded by how many messages
/// it holds, and not by the numbers it spans.
package struct HistoryRange: Hashable {
    /// Messages may have these numbers; none where `first` is above `last`.
    package var first: SequenceNumber
    package var last: SequenceNumber
    private let base: SequenceNumber
    private let newest: SequenceNumber
    private let limit: Int
    /// The last of the older half of a page around a message; nil for other pages.
    private var middle: SequenceNumber?
    /// Whether the oldest of it matter most: those behind the cursor.
    private let isOldestFirst: Bool

    package var isEmpty: Bool { first > last }

    /// - Parameter newest: the number of the room's newest message, 0 for none.
    package init(_ query: HistoryQuery, newest: SequenceNumber) {
        let base = MessageNumbers.mark(query.base)
        let newest = max(MessageNumbers.mark(newest), base)
        self.base = base
        self.newest = newest
        limit = min(max(query.limit, HistoryQuery.limits.lowerBound), HistoryQuery.limits.upperBound)
        /// Cursors far outside mean the ends; clamped, they cannot overflow either.
        func within(_ cursor: SequenceNumber) -> SequenceNumber { min(max(cursor, base), newest + 1) }

        (first, last) = (base + 1, newest)
        isOldestFirst = if case .after = query.cursor { true } else { false }
        switch query.cursor {
        case .latest: break
        case .before(let cursor): last = within(cursor) - 1
        case .after(let cursor): first = within(cursor) + 1
        case .around(let cursor): middle = min(within(cursor), newest)
        }
    }

    /// A part of the page, to be read from the message that matters most towards those that matter least.
    package struct Stretch: Hashable {
        /// The numbers that its messages may have.
        package var first: SequenceNumber
        package var last: SequenceNumber
        package var isNewestFirst: Bool
        /// The most messages.
        package var limit: Int
        /// The most that it may weigh, in bytes of JSON.
        package var bytes: Int

        package static let nothing = Self(first: 1, last: 0, isNewestFirst: true, limit: 0, bytes: 0)
    }

    package var stretches: [Stretch] {
        let bytes = HistoryPage.maximumBytes
        guard let middle else {
            return [Stretch(first: first, last: last, isNewestFirst: !isOldestFirst, limit: limit, bytes: bytes)]
        }
        let half = (limit + 1) / 2
        return [
            Stretch(first: first, last: min(middle, last), isNewestFirst: true, limit: half, bytes: bytes / 2),
            Stretch(
                first: max(middle + 1, first), last: last, isNewestFirst: false, limit: limit - half, bytes: bytes / 2),
        ].filter { $0.first <= $0.last && $0.limit > 0 }
    }

    /// Reads the page's stretches; `read` gives the messages of each in the order it asks for, as far as its limit and the
    /// budget go.
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
        let older = parts.first { $0.stretch.isNewestFirst }
        let newer = parts.last { !$0.stretch.isNewestFirst }
        // The number behind the base is a message's, as there is nothing to change before the first message.
        let hasMoreBefore =
            isOldestFirst
            ? min(first, newest + 1) > base + 1
            : older.map { $0.isCut && $0.messages.first.map { $0.sequence > base + 1 } ?? false } ?? false
        let hasMoreAfter =
            newer.map { $0.isCut && $0.messages.last.map { $0.sequence < newest } ?? false }
            ?? (!isOldestFirst && middle ?? last < newest)
        return HistoryPage(
            messages: parts.flatMap(\.messages), hasMoreBefore: hasMoreBefore, hasMoreAfter: hasMoreAfter,
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

    /// Its numbers may have more messages than were read.
    fileprivate var isCut: Bool { isFull || messages.count >= stretch.limit }
}
