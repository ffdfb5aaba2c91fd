import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceSQLite

/// Files of version 8, which had an index of positions by the messages' keys: what they hold is found, changed and copied as before.
@Suite struct FormerIndexTests {
    private let drafts = Drafts()
    private static let frameBytes = 4096 + 24
    private static let logHeaderBytes = 32

    /// Of 1,300 messages `n<number> even` or `n<number> odd` of room `a`, the last 100 are in the journal of a process that was
    /// killed during a move: the first 60 of them are in their table too, and the first 30 have positions.
    private func writeFormerFile(to home: SQLiteHome) throws {
        let new = try SQLiteHome()
        defer { new.remove() }
        do {
            let store = try SteppedStore(new)
            try store.fill(1200, drafts)
            while store.session.isIndexing { try store.session.indexSome() }
            _ = try store.append((1201...1300).map { drafts.next(text($0)) }, to: "a")
            try store.session.connection.copyToMessages(Array(store.session.journal.entries(of: 1).prefix(60)))
        }
        try FormerFile(8).write(
            from: new, to: home,
            change: """
                INSERT INTO search_documents(position, key)
                SELECT 1200 + row_number() OVER (ORDER BY key DESC) - 1, key FROM journal ORDER BY key LIMIT 30
                """)
    }

    private func text(_ number: Int) -> String { "n\(number) \(number.isMultiple(of: 2) ? "even" : "odd")" }

    private func withFormerFile(_ body: (SQLiteHome) throws -> Void) throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        try writeFormerFile(to: home)
        try body(home)
    }

    private func expectAll(_ store: SteppedStore, _ comment: Comment) throws {
        let even = (1...650).reversed().map { text(2 * $0) }
        #expect(try store.searchAll("even", limit: 100).sorted() == even.sorted(), comment)
        for number in [1, 700, 1100, 1201, 1230, 1231, 1260, 1261, 1300] {
            #expect(try store.searchAll("n\(number)") == [text(number)], comment)
        }
    }

    @Test func everythingIsFoundOnceAtFirstAndAsTheIndexGrows() throws {
        try withFormerFile { home in
            let store = try SteppedStore(home)
            try expectAll(store, "opened")
            _ = try store.append((1...1000).map { drafts.next("new\($0)") }, to: "a")
            try expectAll(store, "with a journal")
            try store.moveAll()
            while store.session.isIndexing { try store.session.indexSome() }
            try expectAll(store, "indexed")
            #expect(try store.searchAll("new500") == ["new500"])
            let connection = store.session.connection
            #expect(try connection.isBuilt(1))
            #expect(
                try connection.count("SELECT count(*) FROM search_documents") == 1200,
                "no new place is indexed by its key")
            #expect(try connection.count("SELECT count(*) FROM search_places") == 1100)
            #expect(try connection.count("SELECT count(DISTINCT key) FROM indexed_messages") == 2300)
        }
    }

    @Test func formerAndNewMessagesAreChanged() throws {
        try withFormerFile { home in
            let store = try SteppedStore(home)
            _ = try store.append((1301...2300).map { drafts.next(text($0)) }, to: "a")
            try store.moveAll()
            while store.session.isIndexing { try store.session.indexSome() }
            // In a former segment, in one that has both, and in a new one without lists.
            for number in [10, 1100, 1210, 1290, 2000, 2290] {
                try store.change(SequenceNumber(number), text(number), to: "zebra\(number)")
                try store.change(SequenceNumber(number + 2), text(number + 2), to: nil)
                #expect(try store.searchAll("zebra\(number)") == ["zebra\(number)"])
                #expect(try store.searchAll("n\(number)").isEmpty && store.searchAll("n\(number + 2)").isEmpty)
                #expect(try store.searchAll("n\(number + 1)") == [text(number + 1)])
            }
            let lists = try store.session.connection.statement(
                "SELECT term FROM search_postings WHERE term LIKE 'zebra%' OR term IN ('n1210', 'n2000', 'n2002')"
            ).rows { $0.text(0) }
            #expect(lists == ["zebra10", "zebra1100", "zebra1210", "zebra1290", "zebra2000"])
        }
    }

    @Test func aSearchThatBeganBeforeAMoveGoesOn() throws {
        try withFormerFile { home in
            let store = try SteppedStore(home)
            _ = try store.append((1...20).map { drafts.next("word \($0)") }, to: "a")
            let first = try store.search("word", limit: 8)
            try store.moveAll()
            let second = try store.search("word", limit: 20, cursor: first.cursor)
            #expect((first.messages + second.messages).map(\.body.text) == (1...20).reversed().map { "word \($0)" })
        }
    }

    @Test func aCopyOfItIsRestoredAndSearched() throws {
        try withFormerFile { home in
            let other = try SQLiteHome()
            defer { other.remove() }
            let copy = home.directory + "/copy"
            #expect(try SQLiteStore.backUp(directory: home.directory, to: copy).messages == 1300)
            #expect(try SQLiteStore.restore(copy, into: other.directory).contents.messages == 1300)
            try expectAll(SteppedStore(other), "restored")
            try expectAll(SteppedStore(home), "upgraded behind its backup")
            #expect(try SQLiteStore.backUp(directory: home.directory, to: copy, replacing: true).messages == 1300)
            #expect(try SQLiteStore.restore(copy, into: other.directory).contents.messages == 1300)
            try expectAll(SteppedStore(other), "upgraded, and then restored")
        }
    }

    /// A machine that loses its power during the upgrade: the log ends anywhere in it.
    @Test func anUpgradeThatIsCutOffAnywhereIsMadeAgain() throws {
        try withFormerFile { home in
            let copy = try SQLiteHome()
            defer { copy.remove() }
            let store = try SteppedStore(home)
            try store.copyFiles(to: copy)
            let log = try Data(contentsOf: URL(fileURLWithPath: copy.directory + "/chat.db-wal"))
            let database = try Data(contentsOf: URL(fileURLWithPath: copy.directory + "/chat.db"))
            var versions: Set<Int> = []
            for length in stride(from: Self.logHeaderBytes, through: log.count, by: Self.frameBytes) {
                for name in ["/chat.db-wal", "/chat.db"] {
                    try? FileManager.default.removeItem(atPath: copy.directory + name)
                }
                try database.write(to: URL(fileURLWithPath: copy.directory + "/chat.db"))
                try log.prefix(length + 100).write(to: URL(fileURLWithPath: copy.directory + "/chat.db-wal"))
                let version = try SQLiteStore.schemaPlan(directory: copy.directory).version
                versions.insert(try #require(version))
                // What the file held before its version is not this test's affair.
                if version ?? 0 >= 8 { try expectAll(SteppedStore(copy), "cut at \(length)") }
            }
            #expect(versions.isSuperset(of: [8, 9]))
        }
    }
}

extension SQLiteConnection {
    fileprivate func count(_ query: StaticString) throws -> Int64? { try statement(query).first { $0.integer(0) } }
}
