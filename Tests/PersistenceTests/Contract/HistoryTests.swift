import ChatDomain
import Testing

/// Pages of history by every cursor, with limits, the base of a re-created room and what they say about more.
@Suite struct HistoryTests {
    struct Case: Sendable, CustomStringConvertible {
        var query: HistoryQuery
        var expected: ClosedRange<SequenceNumber>?
        var before: Bool
        var after: Bool

        init(
            _ cursor: HistoryQuery.Cursor, _ limit: Int, base: SequenceNumber = 0,
            _ expected: ClosedRange<SequenceNumber>?,
            before: Bool, after: Bool
        ) {
            query = HistoryQuery(cursor, limit: limit, base: base)
            self.expected = expected
            self.before = before
            self.after = after
        }

        var description: String { "\(query.cursor) limit \(query.limit) base \(query.base)" }
    }

    /// On a room of 20 messages.
    static let cases: [Case] = [
        Case(.latest, 5, 16...20, before: true, after: false),
        Case(.latest, 20, 1...20, before: false, after: false),
        Case(.latest, 1000, 1...20, before: false, after: false),
        Case(.latest, 1000, base: 12, 13...20, before: false, after: false),
        Case(.latest, 3, base: 12, 18...20, before: true, after: false),
        Case(.latest, 3, base: 20, nil, before: false, after: false),
        Case(.before(16), 5, 11...15, before: true, after: true),
        Case(.before(3), 5, 1...2, before: false, after: true),
        Case(.before(1), 5, nil, before: false, after: true),
        Case(.before(21), 2, 19...20, before: true, after: false),
        Case(.before(.max), 2, 19...20, before: true, after: false),
        Case(.before(16), 5, base: 13, 14...15, before: false, after: true),
        Case(.before(10), 5, base: 13, nil, before: false, after: true),
        Case(.after(0), 5, 1...5, before: false, after: true),
        Case(.after(15), 5, 16...20, before: true, after: false),
        Case(.after(17), 5, 18...20, before: true, after: false),
        Case(.after(20), 5, nil, before: true, after: false),
        Case(.after(99), 5, nil, before: true, after: false),
        Case(.after(.max), 5, nil, before: true, after: false),
        Case(.after(.min), 5, 1...5, before: false, after: true),
        Case(.after(3), 5, base: 10, 11...15, before: false, after: true),
        Case(.after(12), 5, base: 10, 13...17, before: true, after: true),
        Case(.around(10), 5, 8...12, before: true, after: true),
        Case(.around(10), 4, 9...12, before: true, after: true),
        Case(.around(10), 1, 10...10, before: true, after: true),
        Case(.around(1), 5, 1...3, before: false, after: true),
        Case(.around(20), 5, 18...20, before: true, after: false),
        Case(.around(10), 1000, 1...20, before: false, after: false),
        Case(.around(10), 6, base: 9, 10...13, before: false, after: true),
    ]

    private let drafts = Drafts()

    @Test(arguments: StoreKind.allCases)
    func everyCursor(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            await store.append(drafts.many(9), to: "other")
            await store.append(drafts.many(20), to: "a")
            await store.append(drafts.many(9), to: "third")
            for item in Self.cases {
                let page = try await store.history(of: "a", item.query)
                #expect(page.messages.map(\.sequence) == item.expected.map { Array($0) } ?? [], "\(item)")
                #expect(
                    page.messages.allSatisfy { $0.roomID == "a" && $0.body.text == "text \($0.sequence)" }, "\(item)")
                #expect(page.hasMoreBefore == item.before, "\(item): more before")
                #expect(page.hasMoreAfter == item.after, "\(item): more after")
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func roomsWithoutMessagesHaveEmptyPages(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            _ = try await store.create(.group("made"), participants: [])
            let cursors: [HistoryQuery.Cursor] = [.latest, .before(5), .after(0), .after(5), .around(1)]
            for cursor in cursors {
                for room: RoomID in ["made", "nowhere"] {
                    let page = try await store.history(of: room, HistoryQuery(cursor))
                    #expect(page == HistoryPage(messages: [], hasMoreBefore: false, hasMoreAfter: false))
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func pagingMeetsEveryMessageOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            await store.append(drafts.many(23), to: "a")
            var seen: [SequenceNumber] = []
            var page = try await store.history(of: "a", HistoryQuery(.latest, limit: 5))
            while true {
                seen = page.messages.map(\.sequence) + seen
                guard page.hasMoreBefore, let first = page.messages.first?.sequence else { break }
                page = try await store.history(of: "a", HistoryQuery(.before(first), limit: 5))
            }
            #expect(seen == Array(1...23))
        }
    }
}
