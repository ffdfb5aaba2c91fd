import Testing

@testable import ChatDomain

/// Words of texts as the search sees them.
@Suite struct SearchTextTests {
    private func words(_ text: String) -> [String] { SearchText(text).tokens.map(\.word.value) }

    @Test func wordsAreRunsOfLettersAndDigits() {
        #expect(words("Hello, big_world! v2.0 (it's)") == ["hello", "big", "world", "v2", "0", "it", "s"])
        #expect(words("") == [])
        #expect(words(" \u{0} ,.;-*\"'() \t\n") == [])
    }

    @Test(arguments: [
        ("Crème BRÛLÉE", ["creme", "brulee"]), ("cre\u{300}me", ["creme"]), ("STRASSE", ["strasse"]),
        ("Straße STRAẞE", ["strasse", "strasse"]), ("ΣΊΣΥΦΟΣ σίσυφος", ["σισυφοσ", "σισυφοσ"]),
        ("İstanbul ISTANBUL ıstanbul", ["istanbul", "istanbul", "istanbul"]), ("Ёлка", ["елка"]),
        ("ﬁn", ["fin"]), ("Việt Nam", ["viet", "nam"]), ("smørrebrød", ["smørrebrød"]),
    ])
    func caseAndAccentsAreFolded(_ sample: (text: String, words: [String])) {
        #expect(words(sample.text) == sample.words)
    }

    @Test func scriptsWithoutSpacesAndEmojiMakeWordsOfTheirOwn() {
        #expect(words("東京タワー") == ["東", "京", "タ", "ワ", "ー"])
        #expect(words("ok👍🏽 ❤\u{FE0F}x") == ["ok", "👍", "❤", "x"])
        #expect(words("が") == words("か\u{3099}"))
        #expect(words("が") != words("か"))
    }

    @Test func marksOfIndianScriptsStayInTheirWords() {
        #expect(words("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"])
    }

    @Test func placesCountUTF16() {
        let text = "😀 naïve e\u{301}t\u{301}e"
        let tokens = SearchText(text).tokens
        let units = Array(text.utf16)
        let cut = tokens.map { String(decoding: units[$0.range], as: UTF16.self) }
        #expect(cut == ["😀", "naïve", "e\u{301}t\u{301}e"])
        #expect(tokens[1].range == 3..<8)
    }

    @Test func longWordsAndLongTextsAreCut() {
        let word = String(repeating: "a", count: 10_000)
        #expect(words(word) == [String(repeating: "a", count: SearchWord.maximumBytes)])
        #expect(SearchText(word).tokens.first?.range == 0..<10_000)
        // A word is never cut inside a scalar.
        let cyrillic = words("a" + String(repeating: "ж", count: 100))
        #expect(cyrillic == ["a" + String(repeating: "ж", count: 31)])
        let many = SearchText(String(repeating: "x y ", count: 5000))
        #expect(many.tokens.count == SearchText.maximumTokens)
        #expect(many.words == ["x", "y"].reduce(into: []) { $0.insert(SearchWord(unchecked: $1)) })
    }

    /// Texts of ASCII alone are read byte by byte; a space outside of ASCII behind them changes no word.
    @Test func textsOfASCIIHaveTheWordsThatTheirScalarsHave() {
        let texts = [
            String(decoding: UInt8(0)..<0x80, as: UTF8.self), "Hello, Big_world! v2.0 it's", "", "end", " a  B ",
            String(repeating: "Long", count: 40), String(repeating: "x y ", count: 600), "a\u{0}b",
        ]
        for text in texts {
            #expect(SearchText(text).tokens == SearchText(text + "\u{2003}").tokens, "\(text)")
        }
    }

    /// `WordScanner` reads stored bytes without making a string of them, and keeps nothing of the text before.
    @Test func bytesHaveTheWordsOfTheirString() {
        let texts: [[UInt8]] = [
            Array("東".utf8), Array("Hello, Big_world! v2.0".utf8), Array("cre\u{300}me 👍🏽 x".utf8), [],
            [0x61, 0xFF, 0x62],
            [0xE6, 0x9D], Array(String(repeating: "x y ", count: 600).utf8), Array("end".utf8),
        ]
        var scanner = WordScanner()
        for text in texts {
            var found: [SearchToken] = []
            text.withUnsafeBytes { bytes in
                scanner.scan(bytes) { word, range in
                    found.append(.init(word: .init(unchecked: String(decoding: word, as: UTF8.self)), range: range))
                }
            }
            #expect(found == SearchText(String(decoding: text, as: UTF8.self)).tokens)
        }
    }
}
