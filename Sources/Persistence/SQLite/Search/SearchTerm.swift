import ChatDomain

/// What messages are found by: their words, and also their room and their author.
///
/// The latter begin with control characters, which no word holds.
enum SearchTerm {
    static func room(_ key: Int64) -> SearchWord { SearchWord(unchecked: "\u{1}\(key)") }
    static func author(_ user: UserID) -> SearchWord { SearchWord(unchecked: "\u{2}\(user.value)") }

    /// All terms of a message.
    static func all(of text: String, author user: UserID, room: Int64) -> Set<SearchWord> {
        var terms = SearchText(text).words
        terms.insert(Self.room(room))
        terms.insert(author(user))
        return terms
    }

    /// A text above every word that begins with this one. No word holds the scalar.
    static func end(ofPrefix word: SearchWord) -> SearchWord { SearchWord(unchecked: word.value + "\u{10FFFF}") }
}
