import ChatDomain

/// What the search index needs of a message that moved out of the journal.
struct MovedText: Equatable {
    /// In the search index.
    var position: Int64
    /// The room's key.
    var room: Int64
    var author: UserID
    /// nil when the message has changed since: the table has it.
    var text: String?

    fileprivate var amount: Journal.Amount { .init(messages: 1, bytes: text?.utf8.count ?? 0) }
}

/// The texts of the messages that moved last, until their segment of the search index is built: it need not read them back.
///
/// The table of messages decides, and what is missing here is read from it. So this may forget whatever it likes.
struct MovedTexts {
    /// More than a busy writer moves before it comes to building: it builds nothing while it has much to move.
    static let limit = Journal.Amount(messages: Journal.limit.messages, bytes: 4 << 20)

    /// In the order of their positions, without holes.
    private var texts: [MovedText] = []
    private var amount = Journal.Amount()

    var count: Int { texts.count }

    /// Takes the texts of a move; those before them stay if these follow them.
    mutating func append(_ moved: [MovedText]) {
        guard let first = moved.first, let last = moved.last else { return }
        if let end = texts.last, end.position &+ 1 != first.position { self = MovedTexts() }
        guard last.position &- first.position == Int64(moved.count - 1) else { return self = MovedTexts() }
        texts += moved
        for text in moved { amount = amount + text.amount }
        var excess = 0
        while amount.exceeds(Self.limit) {
            amount = amount - texts[excess].amount
            excess += 1
        }
        texts.removeFirst(excess)
    }

    /// The messages at all of these positions; nil where some of them have to be read.
    func texts(at positions: ClosedRange<Int64>) -> ArraySlice<MovedText>? {
        guard let first = index(of: positions.lowerBound), let last = index(of: positions.upperBound),
            texts[first...last].allSatisfy({ $0.text != nil })
        else { return nil }
        return texts[first...last]
    }

    /// The message at this position changes, or a transaction that is undone would have changed it.
    mutating func noteChange(at position: Int64) {
        guard let index = index(of: position) else { return }
        amount = amount - texts[index].amount
        texts[index].text = nil
        amount = amount + texts[index].amount
    }

    /// Forgets the texts up to a position, which the index has.
    mutating func remove(through position: Int64) {
        guard let last = texts.last?.position, position < last else { return self = MovedTexts() }
        guard let index = index(of: position) else { return }
        for text in texts[...index] { amount = amount - text.amount }
        texts.removeFirst(index + 1)
    }

    private func index(of position: Int64) -> Int? {
        guard let first = texts.first?.position, let last = texts.last?.position, first <= position, position <= last
        else { return nil }
        return Int(position - first)
    }
}
