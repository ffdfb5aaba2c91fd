/// What a search for people looks for: words that the words of an id, a username or a name begin with.
public struct PeopleQuery: Hashable, Sendable {
    public static let maximumCharacters = 128
    public static let limits = 1...100
    public static let defaultLimit = 20

    /// As it was given: the user with this id comes first.
    public let text: String
    /// At least one.
    public let words: [SearchWord]

    /// - Throws: `bad_request` for a text that is empty, holds no word, holds control characters, or is too long.
    public init(parsing text: String) throws(ChatError) {
        try ShortText.check(text, field: "q", maximumCharacters: Self.maximumCharacters)
        words = SearchText(text).words.sorted()
        guard !words.isEmpty else { throw .badRequest("q must hold a word") }
        self.text = text
    }

    public func matches(_ user: UserID, _ profile: Profile) -> Bool {
        let known = Self.words(of: user, profile)
        return words.allSatisfy { word in known.contains { $0.begins(with: word) } }
    }

    /// The words that a user is found by.
    public static func words(of user: UserID, _ profile: Profile) -> Set<SearchWord> {
        [user.value, profile.username ?? "", profile.name ?? ""].reduce(into: []) { $0.formUnion(SearchText($1).words) }
    }
}
