/// A word as the search compares it: without case and accents, byte by byte.
public struct SearchWord: ClientIdentifier {
    public let value: String
    public init(unchecked value: String) { self.value = value }

    /// Past this many bytes a word is cut, in texts and in queries alike.
    static let maximumBytes = 64

    func begins(with other: Self) -> Bool { value.utf8.starts(with: other.value.utf8) }
}

/// A word of a text, and where it stands there.
public struct SearchToken: Hashable, Sendable {
    public var word: SearchWord
    /// In UTF-16 code units, as JavaScript counts.
    public var range: Range<Int>
}

/// The words of a text, in their order.
///
/// A word is a run of letters and digits. In scripts without spaces each character is a word, as is each emoji; so a query of several is
/// found where they follow one another.
public struct SearchText: Sendable {
    /// Words behind these are not found: a message of many thousand words must not cost as much as a thousand messages.
    public static let maximumTokens = 512

    public private(set) var tokens: [SearchToken] = []

    private var pending: [UInt8] = []
    private var start = 0
    private var end = 0
    private var isClosed = false

    public init(_ text: String) {
        var offset = 0
        for scalar in text.unicodeScalars {
            guard tokens.count < Self.maximumTokens else { return }
            let next = offset + (scalar.value > 0xFFFF ? 2 : 1)
            take(FoldedScalar(scalar), offset..<next)
            offset = next
        }
        if tokens.count < Self.maximumTokens { finishWord() }
        pending = []
    }

    /// The different words.
    public var words: Set<SearchWord> { Set(tokens.lazy.map(\.word)) }

    private mutating func take(_ scalar: FoldedScalar, _ range: Range<Int>) {
        switch scalar.role {
        case .separator: finishWord()
        case .ignored: if !pending.isEmpty { end = range.upperBound }
        case .mark: append(scalar, range)
        case .letter:
            if isClosed { finishWord() }
            append(scalar, range)
        case .wordOfItsOwn:
            finishWord()
            append(scalar, range)
            isClosed = true
        }
    }

    private mutating func append(_ scalar: FoldedScalar, _ range: Range<Int>) {
        if pending.isEmpty { start = range.lowerBound }
        end = range.upperBound
        guard pending.count + scalar.text.utf8.count <= SearchWord.maximumBytes else { return }
        pending.append(contentsOf: scalar.text.utf8)
    }

    private mutating func finishWord() {
        isClosed = false
        guard !pending.isEmpty else { return }
        tokens.append(
            SearchToken(word: SearchWord(unchecked: String(decoding: pending, as: UTF8.self)), range: start..<end))
        pending.removeAll(keepingCapacity: true)
    }
}
