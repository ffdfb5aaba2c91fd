import ChatDomain
import Testing

@testable import PersistenceSQLite

/// The search index is built from the messages as they moved, and is the same as one that is built from the table.
@Suite struct MovedTextsTests {
    private let drafts = Drafts()

    private func texts(_ positions: ClosedRange<Int64>, _ text: String = "x") -> [MovedText] {
        positions.map { MovedText(position: $0, room: 1, author: "ann", text: text) }
    }

    // MARK: What it keeps

    @Test func movesThatFollowOneAnotherAreKept() {
        var moved = MovedTexts()
        moved.append(texts(5...9))
        moved.append(texts(10...20))
        #expect(moved.texts(at: 7...12).map(Array.init) == texts(7...12))
        #expect(moved.texts(at: 4...6) == nil && moved.texts(at: 20...21) == nil && moved.texts(at: -3...(-1)) == nil)
        moved.remove(through: 8)
        #expect(moved.texts(at: 8...9) == nil)
        #expect(moved.texts(at: 9...20).map(Array.init) == texts(9...20))
        moved.append([])
        #expect(moved.count == 12)
        moved.append(texts(30...31))
        #expect(moved.count == 2 && moved.texts(at: 30...31) != nil, "what does not follow takes the place")
        moved.append(texts(32...33) + texts(35...35))
        #expect(moved.count == 0, "what has holes is read")
        moved.append(texts(40...41))
        moved.remove(through: .max)
        #expect(moved.count == 0)
    }

    @Test func aChangedMessageIsRead() {
        var moved = MovedTexts()
        moved.append(texts(0...9))
        moved.noteChange(at: 4)
        moved.noteChange(at: 99)
        #expect(moved.texts(at: 0...4) == nil && moved.texts(at: 4...9) == nil)
        #expect(moved.texts(at: 0...3)?.count == 4 && moved.texts(at: 5...9)?.count == 5)
    }

    @Test func itHasABound() {
        var many = MovedTexts()
        for start in stride(from: Int64(0), to: 20_000, by: 1000) { many.append(texts(start...(start + 999))) }
        #expect(many.count == MovedTexts.limit.messages)
        #expect(many.texts(at: 19_000...19_999) != nil && many.texts(at: 0...10) == nil)
        var large = MovedTexts()
        for position: Int64 in 0..<10 {
            large.append(texts(position...position, String(repeating: "x", count: MovedTexts.limit.bytes / 4)))
        }
        #expect(large.count == 4)
        large.append(texts(10...10, String(repeating: "x", count: MovedTexts.limit.bytes + 1)))
        #expect(large.count == 0, "one that is too large is not kept either")
    }

    @Test func positionsAtTheEndsOfTheirRangeAreNoTrap() {
        var moved = MovedTexts()
        moved.append(texts((.max - 2)...(.max)))
        moved.append(texts(0...1))
        for position: Int64 in [.min, -1, 0, .max] {
            moved.noteChange(at: position)
            _ = moved.texts(at: position...position)
            moved.remove(through: position)
        }
    }

    // MARK: What the index is made of

    private func withSteppedStore(_ body: (SteppedStore) throws -> Void) throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        try body(try SteppedStore(home))
    }

    @Test func noMessageIsReadBack() throws {
        try withSteppedStore { store in
            _ = try store.append((0..<2100).map { drafts.next("word\($0)") }, to: "a")
            try store.moveAll()
            // Whoever reads the table finds other words.
            try store.session.connection.execute("UPDATE messages SET text = 'unread'")
            try store.buildIndex()
            let lists = try store.lists()
            #expect(lists["0 word0"] != nil && lists["1 word2047"] != nil)
            #expect(!lists.keys.contains { $0.hasSuffix("unread") })
            #expect(store.session.movedTexts.count == 2100 - 2048, "what is indexed is not kept")
        }
    }

    @Test func aStoreThatStartsReadsTheTable() throws {
        try withSteppedStore { store in
            _ = try store.append((0..<1030).map { drafts.next("word\($0)") }, to: "a")
            try store.moveAll()
            let home = try SQLiteHome()
            defer { home.remove() }
            try store.copyFiles(to: home)
            let copy = try SteppedStore(home)
            #expect(copy.session.movedTexts.count == 0)
            try copy.buildIndex()
            try store.buildIndex()
            #expect(try copy.lists() == store.lists())
            #expect(try copy.lists().count > 1024)
        }
    }

    /// When a message is changed: in the journal, at each step of its move, before its segment is built, during that, and after it.
    private enum Time: Equatable, CaseIterable {
        case unmoved
        case moving
        case moved
        case building
        case built
    }

    @Test(arguments: [true, false]) func changesAreIndexedAsTheTableHasThem(inOneMove: Bool) throws {
        for time in Time.allCases {
            try withSteppedStore { store in
                try store.transaction { _ = try store.session.create(.group("a"), participants: ["ann"]) }
                let all = (0..<1200).map { drafts.next("old\($0) word") }
                var changed = 0
                func change() throws {
                    // Each once, spread over the segment.
                    try store.change([changed * 2 + 1, 700 + changed], of: all, drafts)
                    changed += 1
                }
                for part in inOneMove ? [all[...]] : [all[..<500], all[500...]] {
                    for start in stride(from: part.startIndex, to: part.endIndex, by: 100) {
                        _ = try store.append(Array(part[start..<(start + 100)]), to: "a")
                    }
                    if time == .unmoved, part.endIndex == all.endIndex { try change() }
                    try store.atEveryStep { _ in
                        if time == .moving, part.endIndex == all.endIndex { try change() }
                    }
                }
                if time == .moved { try change() }
                for _ in 0..<40 where time == .building && store.session.isIndexing {
                    try store.session.indexSome()
                    if changed < 12 { try change() }
                }
                try store.buildIndex()
                if time == .built { try change() }
                try store.expectListsOfTable("\(time)")
                #expect(changed > 0)
            }
        }
    }

    @Test func anErasureDuringAMoveIsFollowed() throws {
        for erased in 1...40 {
            try withSteppedStore { store in
                try store.transaction { _ = try store.session.create(.group("a"), participants: ["ann"]) }
                let all = (0..<1100).map { drafts.next("secret\($0)", by: $0 == 3 ? "bob" : "ann") }
                _ = try store.append(all, to: "a")
                let key = Schema.messageKey(room: 1, 4)
                try store.atEveryStep { step in
                    guard step == erased else { return }
                    try store.transaction {
                        _ = try store.session.erase(
                            [.written(key)], of: ErasedUser("bob", as: "nobody", messages: .erase))
                    }
                }
                try store.buildIndex()
                try store.expectListsOfTable("step \(erased)")
                let text = try store.session.connection.statement("SELECT text FROM messages WHERE key = ?")
                    .bind(1, key).first { $0.text(0) }
                #expect(try store.lists().keys.contains("0 secret3") == (text == "secret3"))
            }
        }
    }

    @Test func aChangeThatIsUndoneLeavesTheIndexAsItIs() throws {
        try withSteppedStore { store in
            try store.transaction { _ = try store.session.create(.group("a"), participants: ["ann"]) }
            let all = (0..<1100).map { drafts.next("old\($0)") }
            _ = try store.append(all, to: "a")
            try store.moveAll()
            try store.session.begin()
            try store.performChanges([5, 80], of: all, drafts)
            store.session.rollBack()
            try store.buildIndex()
            try store.expectListsOfTable("undone")
            #expect(try store.lists().keys.contains("0 old4"))
        }
    }
}

extension SteppedStore {
    fileprivate func buildIndex() throws { while session.isIndexing { try session.indexSome() } }

    /// The lists of the index by segment and term.
    fileprivate func lists() throws -> [String: [UInt8]] {
        let rows = try session.connection.statement("SELECT segment, term, documents FROM search_postings").rows {
            ("\($0.integer(0)) \($0.text(1))", Array($0.bytes(2)))
        }
        return Dictionary(rows) { $1 }
    }

    /// The index is the one that a store makes which has nothing in memory.
    fileprivate func expectListsOfTable(_ comment: Comment) throws {
        let built = try lists()
        try session.connection.execute("DELETE FROM search_postings; DELETE FROM search_segments")
        session.movedTexts = MovedTexts()
        session.searchPositions = try session.connection.searchPositions()
        try buildIndex()
        #expect(try lists() == built, comment)
        #expect(!built.isEmpty, comment)
    }

    /// Edits the first of these messages of room `a` and deletes the others, in one transaction.
    fileprivate func change(_ numbers: [Int], of all: [MessageDraft], _ drafts: Drafts) throws {
        try session.begin()
        try performChanges(numbers, of: all, drafts)
        try session.commit()
        session.publishCommitted(at: now)
    }

    fileprivate func performChanges(_ numbers: [Int], of all: [MessageDraft], _ drafts: Drafts) throws {
        let changes = numbers.enumerated().map { index, number in
            let id = drafts.next()
            return RoomDraft.change(
                ChangeDraft(
                    id: id.id, messageID: all[number - 1].id, user: RoomUser(userID: "ann", username: "Ann"),
                    request: index == 0 ? .edit(MessageEdit(text: "new\(number) word")) : .delete,
                    authority: .anyMessage, clientMessageID: nil, timestamp: id.timestamp))
        }
        let outcome = try session.perform(RoomWrite(roomID: "a", lastKnown: 0, drafts: changes))
        for draft in outcome.drafts {
            if case .changed = draft {} else { Issue.record("\(draft)") }
        }
    }
}
