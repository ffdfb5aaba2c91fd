import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceSQLite

/// The embedded index: found at every step of a move and of a build, followed by changes, and without traces of what was removed.
@Suite struct SearchIndexTests {
    private let drafts = Drafts()

    private func withSteppedStore(_ body: (SteppedStore) async throws -> Void) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        try await body(try SteppedStore(home))
    }

    @Test func messagesAreFoundOnceAtEveryStepOfAMove() async throws {
        try await withSteppedStore { store async throws in
            for room in ["a", "b"] as [RoomID] { try store.makeRoom(room) }
            for number in 1...200 {
                _ = try store.append([drafts.next("word \(number)")], to: number % 3 == 0 ? "a" : "b")
            }
            let all = (1...200).reversed().map { "word \($0)" }
            try store.atEveryStep { step in
                #expect(try store.searchAll("word", limit: 30) == all, "step \(step)")
                if step == 2 { _ = try store.append([drafts.next("other")], to: "a") }
            }
            try store.moveAll()
            #expect(try store.searchAll("word", limit: 7) == all)
            #expect(try store.searchAll("other") == ["other"])
        }
    }

    @Test func pagesGoOnWhereAMoveHasComeBetween() async throws {
        try await withSteppedStore { store async throws in
            try store.makeRoom("a")
            for number in 1...20 { _ = try store.append([drafts.next("word \(number)")], to: "a") }
            let first = try store.search("word", limit: 8)
            try store.moveAll()
            let second = try store.search("word", limit: 20, cursor: first.cursor)
            #expect((first.messages + second.messages).map(\.body.text) == (1...20).reversed().map { "word \($0)" })
        }
    }

    @Test func aSegmentIsBuiltAndFindsTheSame() async throws {
        try await withSteppedStore { store async throws in
            try store.fill(2500, drafts)
            #expect(store.session.isIndexing)
            let rare = try store.searchAll("n77")
            let often = try store.searchAll("even", limit: 100)
            let prefix = try store.searchAll("n77*", limit: 100)
            #expect(rare == ["n77 odd"] && often.count == 1250 && prefix.count == 11)
            var steps = 0
            while store.session.isIndexing {
                try store.session.indexSome()
                steps += 1
                #expect(try store.searchAll("n77") == rare, "step \(steps)")
            }
            #expect(steps > 30)
            #expect(try store.searchAll("even", limit: 100) == often)
            #expect(try store.searchAll("n77*", limit: 100) == prefix)
            #expect(try store.searchAll("n77 even") == [])
        }
    }

    @Test func changesAreFollowedBeforeDuringAndAfterABuild() async throws {
        for (moment, isRead) in [0, 10, 20, 1000].flatMap({ [($0, true), ($0, false)] }) {
            try await withSteppedStore { store async throws in
                try store.fill(1100, drafts)
                if isRead { store.session.movedTexts = MovedTexts() }
                for _ in 0..<moment where store.session.isIndexing { try store.session.indexSome() }
                try store.change(5, "n5 odd", to: "changed zebra")
                try store.change(6, "n6 even", to: nil)
                for place in ["now", "later"] {
                    #expect(try store.searchAll("zebra") == ["changed zebra"], "\(place), \(moment)")
                    #expect(try store.searchAll("n5").isEmpty && store.searchAll("n6").isEmpty, "\(place), \(moment)")
                    #expect(try store.searchAll("even", limit: 100).count == 549, "\(place), \(moment)")
                    while store.session.isIndexing { try store.session.indexSome() }
                }
            }
        }
    }

    @Test func noWordOfADeletedMessageIsLeftInARow() async throws {
        try await withSteppedStore { store async throws in
            try store.fill(1100, drafts) { "\($0)secret\(7 * $0) \($0)second\(11 * $0) other words" }
            while store.session.isIndexing { try store.session.indexSome() }
            let deleted = Array(stride(from: 3, to: 1024, by: 5))
            func words(_ number: Int) -> [String] { ["\(number)secret\(7 * number)", "\(number)second\(11 * number)"] }
            #expect(
                try store.left(of: deleted.flatMap(words)).count == 2 * deleted.count, "else this test shows nothing")
            for number in deleted {
                try store.change(
                    SequenceNumber(number), "\(words(number)[0]) \(words(number)[1]) other words", to: nil)
            }
            #expect(try store.left(of: deleted.flatMap(words)) == [])
            #expect(try store.searchAll("4secret28").count == 1)
        }
    }

    @Test func anIndexWithoutOlderMessagesGetsThem() async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        do {
            let store = try SteppedStore(home)
            try store.fill(1500, drafts)
            try store.session.connection.execute(
                """
                DELETE FROM search_places; UPDATE message_ids SET position = NULL; UPDATE users SET words = NULL;
                INSERT INTO search_backlog SELECT 1, max(timestamp), 9223372036854775807 FROM messages
                """)
        }
        let store = try home.openSQLite()
        await store.append([drafts.next("n77 new")], to: "a")
        let query = try SearchQuery(parsing: "n77")
        #expect(
            try await eventually {
                try await store.search(MessageSearch(query, reader: "ann", at: .at(1))).messages.count == 2
            })
        let found = try await store.search(MessageSearch(query, reader: "ann", at: .at(1))).messages.map(\.body.text)
        #expect(found == ["n77 new", "n77 odd"])
        #expect(
            try await eventually {
                try await store.read { connection throws(StoreError) in try connection.searchBacklog() } == nil
            })
        #expect(
            try await eventually {
                try await store.read { connection throws(StoreError) in try connection.isBuilt(-2) }
            })
        let all = MessageSearch(try SearchQuery(parsing: "even"), reader: "ann", at: .at(1), limit: 100)
        #expect(try await store.search(all).messages.map(\.sequence).prefix(2) == [1500, 1498])
        await store.close()
    }

    /// Messages that move while older ones are indexed may look older than those: their senders' clocks decide.
    @Test func aMessageThatMovesIsNoOlderMessageToo() async throws {
        try await withSteppedStore { store async throws in
            try store.makeRoom("a")
            _ = try store.append((1...100).map { drafts.next("word \($0)") }, to: "a")
            let all = (1...100).map { SearchBacklog(timestamp: $0, key: Schema.messageKey(room: 1, $0)) }
            try store.atEveryStep { _ in
                try store.transaction { try store.session.indexOlder(all.map(\.key), next: all[0]) }
            }
            try store.transaction { try store.session.indexOlder(all.map(\.key), next: nil) }
            #expect(try store.searchAll("word") == (1...100).reversed().map { "word \($0)" })
        }
    }

    /// As if the file were changed by hand: ids belong to one message each.
    @Test func messagesWithTheIDOfAnotherAreFoundAndChanged() async throws {
        try await withSteppedStore { store async throws in
            try store.makeRoom("a")
            let sent = (1...3).map { drafts.next("word \($0)") }
            _ = try store.append([sent[0]], to: "a")
            try store.moveAll()
            _ = try store.append([sent[1], sent[2]], to: "a")
            try store.session.connection.execute("UPDATE journal SET id = (SELECT id FROM messages) WHERE position = 1")
            try store.moveAll()
            #expect(try store.searchAll("word") == ["word 3", "word 2", "word 1"])
            for number: Int64 in 1...3 {
                let key = Schema.messageKey(room: 1, number)
                #expect(try store.session.connection.document(key) == number - 1)
            }
        }
    }

    @Test func positionsOfAFileAreContinued() {
        var positions = SearchPositions(positions: -5...2000, built: -1...0, hasBacklog: false)
        #expect(positions.next == 2001 && positions.nextOlder == -6)
        positions.append(upTo: 2048)
        #expect(positions.next == 2048 && positions.buildable == 1)
        let lost = SearchPositions(positions: 0...100, built: 0...1, hasBacklog: false)
        #expect(lost.next == 2048, "what a built segment lacks is not given again")
        for range in [Int64.min...Int64.max, .max ... .max, .min ... .min] {
            var positions = SearchPositions(positions: range, built: range, hasBacklog: true)
            positions.append(upTo: .max)
            _ = positions.appendOlder()
            _ = positions.appendOlder()
            _ = positions.buildable
        }
    }

    @Test func aCrashDuringAMoveLosesAndDoublesNothing() async throws {
        try await withSteppedStore { store async throws in
            try store.makeRoom("a")
            for number in 1...150 { _ = try store.append([drafts.next("word \(number)")], to: "a") }
            try store.atEveryStep { step in
                let home = try SQLiteHome()
                defer { home.remove() }
                try store.copyFiles(to: home)
                let copy = try SteppedStore(home)
                #expect(
                    try copy.searchAll("word", limit: 100) == (1...150).reversed().map { "word \($0)" }, "step \(step)")
            }
        }
    }
}
