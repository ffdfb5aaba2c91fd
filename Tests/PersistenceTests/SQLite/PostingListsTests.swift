import ChatDomain
import Testing

@testable import PersistenceSQLite

/// Messages by term, while a segment of the search index is gathered.
@Suite struct PostingListsTests {
    private func lists(of terms: [(term: String, documents: [Int])]) -> PostingLists {
        var lists = PostingLists()
        for (term, documents) in terms {
            for document in documents { Array(term.utf8).withUnsafeBytes { lists.add($0, document) } }
        }
        lists.sort()
        return lists
    }

    private func contents(_ lists: PostingLists) -> [(term: String, documents: [Int])] {
        var memory: [UInt8] = [1, 2, 3]
        return (0..<lists.count).map { index in
            var content = (term: "", documents: [Int]())
            lists.withList(at: index, using: &memory) { term, list in
                content = (String(decoding: term, as: UTF8.self), DocumentSet(stored: list).descending.reversed())
            }
            return content
        }
    }

    @Test func termsAreOrderedByBytesAndHaveTheirMessages() {
        let given = [("b", [0]), ("\u{10FFFF}", [1]), ("ab", [1, 3, 1023]), ("é", [2]), ("a", [0, 5]), ("Z", [4])]
        let found = contents(lists(of: given))
        #expect(found.map(\.term) == ["Z", "a", "ab", "b", "é", "\u{10FFFF}"])
        #expect(found.map(\.documents) == [[4], [0, 5], [1, 3, 1023], [0], [2], [1]])
    }

    @Test func aTermThatAMessageHasTwiceListsItOnce() {
        var lists = lists(of: [("a", [7, 7, 8, 8, 8])])
        #expect(contents(lists).map(\.documents) == [[7, 8]])
        lists = PostingLists()
        #expect(contents(lists).isEmpty)
    }

    /// More terms than slots at first, each in several messages.
    @Test func manyTermsKeepApart() {
        let terms = (0..<5000).map { "t\($0)" }
        var lists = PostingLists()
        for round in 0..<2 {
            for (number, term) in terms.enumerated() {
                Array(term.utf8).withUnsafeBytes { lists.add($0, number % 512 + 512 * round) }
            }
        }
        lists.sort()
        let found = contents(lists)
        #expect(found.map(\.term) == terms.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(
            found.allSatisfy { term, documents in
                let number = Int(term.dropFirst()) ?? -1
                return documents == [number % 512, number % 512 + 512]
            })
    }

    @Test func termsAreTheWordsTheRoomAndTheAuthor() {
        let texts = ["Hello, hello world", "", "Crème 東京 👍🏽", "a\u{0}b", String(repeating: "word ", count: 600)]
        var scanner = TermScanner()
        for text in texts {
            var found: Set<SearchWord> = []
            Array(text.utf8).withUnsafeBytes { text in
                Array("ann".utf8).withUnsafeBytes { author in
                    scanner.scan(text, author: author, room: .max) {
                        found.insert(SearchWord(unchecked: String(decoding: $0, as: UTF8.self)))
                    }
                }
            }
            #expect(found == SearchText(text).words.union([SearchTerm.room(.max), SearchTerm.author("ann")]))
        }
    }
}

@Suite struct TermDifferenceTests {
    private func changes(_ former: String, by author: UserID, _ present: String?, by newAuthor: UserID) -> [String] {
        var difference = TermDifference()
        difference.addFormer(former, author: author, room: 1)
        if let present { difference.addPresent(present, author: newAuthor, room: 1) }
        var found: [String] = []
        difference.forEach { term, change in
            found.append((change == .added ? "+" : "-") + String(decoding: term, as: UTF8.self))
        }
        return found.sorted()
    }

    @Test func onlyWhatOneOfThemHasIsAChange() {
        #expect(changes("Red and red fox", by: "ann", "a blue FOX and", by: "ann") == ["+a", "+blue", "-red"])
        #expect(changes("same", by: "ann", "Same!", by: "ann").isEmpty)
        #expect(changes("", by: "ann", "new", by: "ann") == ["+new"])
        #expect(changes("old", by: "ann", "", by: "ann") == ["-old"])
    }

    @Test func aDeletedMessageLosesItsRoomAndAuthorToo() {
        #expect(changes("word word", by: "ann", nil, by: "ann") == ["-\u{1}1", "-\u{2}ann", "-word"])
    }

    @Test func anotherAuthorReplacesTheFormerOne() {
        #expect(changes("word", by: "ann", "word", by: "ben") == ["+\u{2}ben", "-\u{2}ann"])
    }
}
