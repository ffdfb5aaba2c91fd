import ChatDomain

/// What messages are found by: their words, and also their room and their author.
///
/// The latter begin with control characters, which no word holds.
enum SearchTerm {
    fileprivate static let roomMark: UInt8 = 1
    fileprivate static let authorMark: UInt8 = 2

    static func room(_ key: Int64) -> SearchWord { SearchWord(unchecked: "\u{1}\(key)") }
    static func author(_ user: UserID) -> SearchWord { SearchWord(unchecked: "\u{2}\(user.value)") }

    /// A text above every word that begins with this one. No word holds the scalar.
    static func end(ofPrefix word: SearchWord) -> SearchWord { SearchWord(unchecked: word.value + "\u{10FFFF}") }
}

/// Finds the terms of messages one after the other, as bytes. Keeps its memory from one message to the next.
struct TermScanner {
    private var words = WordScanner()
    private var term: [UInt8] = []

    /// - Parameters:
    ///   - text, author: in UTF-8.
    ///   - room: the key of the room.
    ///   - found: takes each term, some of them more than once. The bytes are valid during the call.
    mutating func scan(
        _ text: UnsafeRawBufferPointer, author: UnsafeRawBufferPointer, room: Int64,
        found: (UnsafeRawBufferPointer) -> Void
    ) {
        words.scan(text) { word, _ in found(word) }
        make(SearchTerm.roomMark, String(room).utf8, found)
        make(SearchTerm.authorMark, author, found)
    }

    private mutating func make(
        _ mark: UInt8, _ rest: some Sequence<UInt8>, _ found: (UnsafeRawBufferPointer) -> Void
    ) {
        term.removeAll(keepingCapacity: true)
        term.append(mark)
        term.append(contentsOf: rest)
        term.withUnsafeBytes(found)
    }
}
