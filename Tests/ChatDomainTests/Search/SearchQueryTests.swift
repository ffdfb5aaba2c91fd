import Testing

@testable import ChatDomain

/// Queries: what they are read as, what they find and what is refused.
@Suite struct SearchQueryTests {
    private func terms(_ text: String) throws -> [String] {
        try SearchQuery(parsing: text).terms.map { term in
            term.words.map(\.value).joined(separator: "+") + (term.isPrefix ? "*" : "")
        }
    }

    @Test(arguments: [
        ("Hello World", ["hello", "world"]), ("hello hello", ["hello"]),
        ("\"big red dog\" house", ["big+red+dog", "house"]),
        ("e-mail", ["e+mail"]), ("pre* fix", ["pre*", "fix"]), ("\"pre*\"", ["pre"]), ("* a", ["a"]), ("a**", ["a*"]),
        ("\"open end", ["open+end"]), ("a\"b c\"d", ["a", "b+c", "d"]), ("\"\" x", ["x"]),
        ("foo AND NOT bar", ["foo", "and", "not", "bar"]),
        ("author:me ^x NEAR(a b)", ["author+me", "x", "near+a", "b"]),
        ("東京", ["東+京"]), ("'; DROP TABLE messages;--", ["drop", "table", "messages"]), ("$where {a}", ["where", "a"]),
    ])
    func queriesAreReadAsTerms(_ sample: (text: String, terms: [String])) throws {
        #expect(try terms(sample.text) == sample.terms)
    }

    @Test(arguments: [
        "", " ", "*", "\"\"", "-+|()", "\u{0}", "a\u{0}b", "a\nb", String(repeating: "a ", count: 5000),
        String(repeating: "é", count: 513), (0..<33).map { "w\($0)" }.joined(separator: " "),
    ])
    func whatHoldsNoWordOrTooManyIsRefused(_ text: String) {
        #expect(throws: ChatError.self) { try SearchQuery(parsing: text) }
    }

    @Test(arguments: [
        ("fox", "The Fox, a fox", [4..<7, 11..<14]), ("quick fox", "fox quick", [0..<3, 4..<9]),
        ("\"quick fox\"", "quick fox quick", [0..<9]), ("fo*", "fox and food", [0..<3, 8..<12]),
        ("e-mail", "my E mail", [3..<9]), ("creme", "😀 Crème", [3..<8]), ("京", "東京", [1..<2]),
        ("\"a b\" b", "a b b", [0..<3, 4..<5]), ("aa*", "aaa", [0..<3]),
    ])
    func findsAndHighlights(_ sample: (query: String, text: String, ranges: [Range<Int>])) throws {
        #expect(try SearchQuery(parsing: sample.query).highlights(in: sample.text) == sample.ranges)
    }

    @Test(arguments: [
        ("fox", "foxes"), ("quick fox", "quick"), ("\"fox quick\"", "quick fox"), ("\"a c\"", "a b c"),
        ("e-mail", "mail e"),
        ("fox*", "fo"), ("x", ""), ("か", "が"), ("\"a b*\"", "a bc"),
    ])
    func passesOverWhatLacksATerm(_ sample: (query: String, text: String)) throws {
        #expect(try SearchQuery(parsing: sample.query).highlights(in: sample.text) == nil)
    }
}
