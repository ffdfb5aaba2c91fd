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

    public init(_ text: String) {
        var scanner = WordScanner()
        scanner.scan(text) { word, range in
            tokens.append(
                SearchToken(word: SearchWord(unchecked: String(decoding: word, as: UTF8.self)), range: range))
        }
    }

    /// The different words.
    public var words: Set<SearchWord> { Set(tokens.lazy.map(\.word)) }
}
