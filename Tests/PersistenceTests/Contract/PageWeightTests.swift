import ChatDomain
import ChatProtocol
import Testing

/// Pages end where they weigh enough, at the end their cursor cares for less.
@Suite struct PageWeightTests {
    private let drafts = Drafts()
    /// Of 16 KB, as JSON of six times that: nine fit on a page.
    private var long: String { String(repeating: "\u{2}", count: 16_384) }

    @Test(arguments: StoreKind.allCases)
    func aFullPageSaysThatThereIsMore(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            for _ in 0..<4 { await store.append((0..<10).map { _ in drafts.next(long) }, to: "a") }
            func page(_ cursor: HistoryQuery.Cursor) async throws -> (HistoryPage, [SequenceNumber]) {
                let page = try await store.history(of: "a", HistoryQuery(cursor, limit: 1000))
                #expect(page.isFull)
                #expect(page.messages.reduce(0) { $0 + MessageJSON.encode($1).count } <= HistoryPage.maximumBytes)
                return (page, page.messages.map(\.sequence))
            }
            let (latest, newest) = try await page(.latest)
            #expect(newest == Array(32...40))
            #expect(latest.hasMoreBefore && !latest.hasMoreAfter)
            let (_, before) = try await page(.before(32))
            #expect(before == Array(23...31))
            let (after, oldest) = try await page(.after(0))
            #expect(oldest == Array(1...9))
            #expect(after.hasMoreAfter && !after.hasMoreBefore)
            let (around, middle) = try await page(.around(20))
            #expect(middle == Array(17...24))
            #expect(around.hasMoreAfter && around.hasMoreBefore)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aMessageThatFillsAPageAloneIsStillShown(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let huge = String(repeating: "\u{2}", count: 200_000)
            await store.append([drafts.next(huge), drafts.next("short"), drafts.next(huge)], to: "a")
            #expect(try await store.numbers(of: "a", HistoryQuery(.after(0))) == [1])
            #expect(try await store.numbers(of: "a", HistoryQuery(.after(1))) == [2])
            #expect(try await store.numbers(of: "a", HistoryQuery(.latest)) == [3])
        }
    }

    @Test func whatAMessageWeighsIsNoLessThanItsJSON() {
        let texts = ["", "plain", "\"\\/", "\u{0}\u{1F}\n\t\r", "é🙂\u{7F}", String(repeating: "\u{8}", count: 1000)]
        for text in texts {
            let draft = drafts.next(text, client: text, metadata: #"{"a":1}"#, replyTo: text, username: text)
            let message = Message(draft, in: "room", sequence: .max)
            let bytes = MessageJSON.encode(message).count
            #expect(bytes <= message.encodedBytes)
            #expect(message.encodedBytes - bytes <= 100)
        }
    }
}
