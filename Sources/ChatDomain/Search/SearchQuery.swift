/// What a search looks for in texts: every one of its terms.
///
/// Terms stand apart by spaces. A term is a word; or several that have to follow one another: in quotes, or joined by anything but
/// a space, as in `e-mail`. A star at the end of a term outside quotes takes every word that begins like its last one. Everything
/// else that is no word is passed over, and there are no operators.
public struct SearchQuery: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
        /// At least one; they follow one another.
        public var words: [SearchWord]
        /// Whether the last word may go on.
        public var isPrefix: Bool
    }

    public static let maximumCharacters = 512
    public static let maximumWords = 32

    /// At least one.
    public let terms: [Term]

    /// - Throws: `bad_request` for a text that is empty, holds no word, holds control characters, or is too long.
    public init(parsing text: String) throws(ChatError) {
        try ShortText.check(text, field: "q", maximumCharacters: Self.maximumCharacters)
        var terms: [Term] = []
        for piece in Self.pieces(of: text) {
            let words = SearchText(piece.text).tokens.map(\.word)
            guard !words.isEmpty else { continue }
            let term = Term(words: words, isPrefix: !piece.isQuoted && piece.text.utf8.last == UInt8(ascii: "*"))
            if !terms.contains(term) { terms.append(term) }
        }
        guard !terms.isEmpty else { throw .badRequest("q must hold a word") }
        guard terms.reduce(0, { $0 + $1.words.count }) <= Self.maximumWords else {
            throw .badRequest("q must have at most \(Self.maximumWords) words")
        }
        self.terms = terms
    }

    private struct Piece {
        var text: String
        var isQuoted: Bool
    }

    /// What stands between spaces or between quotes. A quote that is not closed reaches to the end.
    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var current = String.UnicodeScalarView()
        var isQuoted = false
        func finish() {
            if !current.isEmpty { pieces.append(Piece(text: String(current), isQuoted: isQuoted)) }
            current = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if scalar == "\"" {
                finish()
                isQuoted.toggle()
            } else if !isQuoted, scalar.properties.isWhitespace {
                finish()
            } else {
                current.append(scalar)
            }
        }
        finish()
        return pieces
    }

    // MARK: Matching

    /// Where the terms stand in a text, in UTF-16 code units, in order and apart; nil where one of them is missing.
    public func highlights(in text: String) -> [Range<Int>]? {
        let tokens = SearchText(text).tokens
        var found: [Range<Int>] = []
        for term in terms {
            let ranges = term.ranges(in: tokens)
            guard !ranges.isEmpty else { return nil }
            found += ranges
        }
        return Self.joined(found)
    }

    private static func joined(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var joined: [Range<Int>] = []
        for range in ranges.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            if let last = joined.last, range.lowerBound < last.upperBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        return joined
    }
}

extension SearchQuery.Term {
    fileprivate func ranges(in tokens: [SearchToken]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var index = 0
        while index + words.count <= tokens.count {
            if matches(tokens[index..<(index + words.count)]) {
                ranges.append(tokens[index].range.lowerBound..<tokens[index + words.count - 1].range.upperBound)
                index += words.count
            } else {
                index += 1
            }
        }
        return ranges
    }

    private func matches(_ tokens: ArraySlice<SearchToken>) -> Bool {
        for (offset, (word, token)) in zip(words, tokens).enumerated() {
            let mayGoOn = isPrefix && offset == words.count - 1
            guard mayGoOn ? token.word.begins(with: word) : token.word == word else { return false }
        }
        return true
    }
}
