import ChatDomain
import Testing

@testable import PersistenceSQLite

/// When messages move from the journal to their table, in which order, and what the writer knows meanwhile.
@Suite struct JournalMoveTests {
    private let start = ContinuousClock.now
    private let drafts = Drafts()

    private func entry(
        _ position: Int64, room: Int64, _ sequence: SequenceNumber, bytes: Int = 100
    ) -> JournalEntry {
        JournalEntry(position: position, room: room, sequence: sequence, author: "ann", bytes: bytes)
    }

    @Test func messagesGoOrderedByRoomAndThenLeaveInTheOrderTheyCame() throws {
        let entries = (0..<150).map { entry(Int64($0) + 7, room: Int64($0 % 3) + 1, SequenceNumber($0 / 3) + 1) }
        var move = JournalMove(entries)
        var inserted: [JournalEntry] = []
        while case .insert(let slice) = move.step {
            #expect(slice.count <= JournalMove.insertedAtOnce)
            inserted += slice
            move.didStep()
        }
        #expect(inserted == entries.sorted { ($0.room, $0.sequence) < ($1.room, $1.sequence) })
        #expect(move.step == .remove(through: 156))
        move.didStep()
        #expect(move.step == nil)
    }

    @Test func heavyMessagesGoInShorterTransactions() {
        let heavy = JournalMove.bytesAtOnce
        var move = JournalMove(
            [heavy * 2, heavy / 2, heavy / 2, 1, heavy].enumerated().map { index, bytes in
                entry(Int64(index) + 1, room: 1, Int64(index) + 1, bytes: bytes)
            })
        var sizes: [Int] = []
        while case .insert(let slice) = move.step {
            sizes.append(slice.count)
            move.didStep()
        }
        #expect(sizes == [1, 2, 1, 1])
    }

    @Test func manyRowsLeaveALittleAtATime() {
        var move = JournalMove((1...1000).map { entry($0, room: 1, $0) })
        while case .insert = move.step { move.didStep() }
        #expect(move.step == .remove(through: 512))
        move.didStep()
        #expect(move.step == .remove(through: 1000))
        move.didStep()
        #expect(move.step == nil)
    }

    @Test func placesInTheSearchIndexFollowTheRows() {
        let move = JournalMove((7...9).map { entry($0, room: 10 - $0, 1) }, firstDocument: 100)
        #expect(move.documents == DocumentsOfRows(firstRow: 7, first: 100) && move.endOfDocuments == 103)
        #expect((7...9).map { move.documents.document(ofRow: $0) } == [100, 101, 102])
        let parts = [1, 2, 3, 7, 8, 5].map { entry($0, room: 1, 1) }.neighbours
        #expect(parts.map { $0.map(\.position) } == [[1, 2, 3], [7, 8], [5]])
        #expect([JournalEntry]().neighbours.isEmpty)
    }

    @Test(arguments: [(64, 64), (2000, 64), (4096, 128), (8192, 256)])
    func aMoveOfManyMessagesTakesMoreAtOnce(count: Int64, atOnce: Int) {
        let move = JournalMove((1...count).map { entry($0, room: 1, $0) })
        guard case .insert(let slice) = move.step else {
            Issue.record("no insertion")
            return
        }
        #expect(slice.count == atOnce)
    }

    @Test func positionsAtTheEndsOfTheirRangeAreNoTrap() {
        for positions in [[Int64.min, 1], [1, .max], [.max], [.min, .max]] {
            var move = JournalMove(positions.map { entry($0, room: 1, 1) }, firstDocument: 5)
            move.didStep()
            _ = move.step
            move.didStep()
            _ = move.step
            _ = move.endOfDocuments
            _ = positions.map { entry($0, room: 1, 1) }.neighbours
        }
    }

    private func journal(_ count: Int, text: String = "x", client: String? = nil) -> Journal {
        var journal = Journal()
        for number in 1...SequenceNumber(count) {
            let message = Message(drafts.next(text, client: client), in: "a", sequence: number)
            journal.append(message, at: entry(number, room: 1, number, bytes: message.body.approximateBytes))
        }
        return journal
    }

    @Test func aMoveBeginsInTimeOrWhenThereIsEnough() {
        var few = journal(3)
        let durable = few.committed(at: start).messages
        let begins = [.milliseconds(999), Journal.interval, Journal.interval].map { few.beginMove(at: start + $0) }
        #expect(durable.count == 3 && begins == [false, true, false], "too early, in time, and while one is under way")
        for var enough in [journal(Journal.enough.messages), journal(5, text: String(repeating: "x", count: 1 << 20))] {
            _ = enough.committed(at: start)
            let begins = enough.beginMove(at: start)
            #expect(begins)
        }
        var none = Journal()
        let messages = none.committed(at: start).messages
        let beginsEmpty = none.beginMove(at: start, isForced: true)
        #expect(messages.isEmpty && !beginsEmpty && none.isEmpty)
    }

    @Test func theJournalHasABound() {
        #expect(!committed(journal(Journal.limit.messages - 1)).isFull)
        #expect(committed(journal(Journal.limit.messages)).isFull)
        var large = committed(journal(17, text: String(repeating: "x", count: 1 << 20)))
        #expect(large.isFull)
        let begins = large.beginMove(at: start)
        #expect(begins && large.isFull, "messages that move still count")
        while !large.didStep() {}
        #expect(!large.isFull && large.isEmpty)
    }

    private func committed(_ journal: Journal) -> Journal {
        var journal = journal
        _ = journal.committed(at: start)
        return journal
    }

    @Test func rolledBackMessagesAreForgotten() {
        var journal = journal(2, client: "c1")
        journal.rolledBack()
        let newest = journal.newest(in: 1)
        #expect(newest == nil && journal.message("c1", of: "ann", in: 1) == nil)
        let messages = journal.committed(at: start).messages
        let mark = journal.readMark(of: "ann", in: 1)
        #expect(mark == 0 && messages.isEmpty)
    }

    @Test func theNewestIsKnownInEveryPart() {
        var journal = committed(journal(1, client: "c"))
        func expect(_ newest: SequenceNumber?) {
            let found = (journal.newest(in: 1), journal.readMark(of: "ann", in: 1), journal.newest(in: 2))
            #expect(found == (newest, newest ?? 0, nil))
            #expect(journal.message("c", of: "ann", in: 1)?.sequence == newest)
            #expect(journal.message("c", of: "bob", in: 1) == nil)
        }
        expect(1)
        _ = journal.beginMove(at: start, isForced: true)
        expect(1)
        for number: SequenceNumber in 2...3 {
            journal.append(
                Message(drafts.next(client: "c"), in: "a", sequence: number), at: entry(number, room: 1, number))
            expect(number)
            if number == 2 { _ = journal.committed(at: start) }
        }
        #expect(journal.entries(of: 1).map(\.sequence) == [1, 2, 3])
        while !journal.didStep() {}
        expect(3)
        #expect(journal.entries(of: 1).map(\.sequence) == [2, 3])
    }

    @Test func aClientIDThatTheTableHasAlreadyKeepsNoMessageOut() throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SteppedStore(home)
        _ = try store.append([drafts.next("one"), drafts.next("two", client: "c"), drafts.next("three")], to: "a")
        // As if the file were changed by hand.
        try store.session.connection.execute(
            """
            INSERT INTO messages(key, room, id, author, username, text, kind, timestamp, client_id)
            VALUES((1 << 32) + 900, 1, x'000000000000000000000001', 'ann', 'ann', 'by hand', 'text', 1, 'c')
            """)
        try store.moveAll()
        let texts = try store.session.connection.statement("SELECT text, client_id FROM messages ORDER BY key")
            .rows { "\($0.text(0)) \($0.text(1))" }
        #expect(texts == ["one ", "two ", "three ", "by hand c"])
    }
}
