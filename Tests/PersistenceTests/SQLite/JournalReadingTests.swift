import ChatDomain
import Testing

@testable import PersistenceSQLite

/// Every reader, and every commit, sees the journal and the table of messages as one, wherever a move stands.
@Suite struct JournalReadingTests {
    private let drafts = Drafts()
    /// Moved in front of the rooms under test, so that the first step ends in the middle of the next room.
    private static let filler = JournalMove.insertedAtOnce - 10

    private func withSteppedStore(
        _ options: StoreOptions = StoreOptions(), _ body: (SteppedStore) throws -> Void
    ) throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SteppedStore(home, options)
        #expect(try store.append(drafts.many(Self.filler), to: "filler").last == .stored(Int64(Self.filler)))
        try body(store)
    }

    /// Twenty messages: `moved` of them in the table before the move that is looked at.
    @Test(arguments: [0, 1, 10, 19, 20]) func historyIsTheSameAtEveryStep(moved: Int) throws {
        try withSteppedStore { store in
            let all = drafts.many(20)
            _ = try store.append(Array(all.prefix(moved)), to: "a")
            if moved > 0 { try store.moveAll() }
            if moved > 0 { _ = try store.append(drafts.many(Self.filler), to: "filler") }
            for draft in all.dropFirst(moved) { _ = try store.append([draft], to: "a") }
            try store.atEveryStep { step in
                for each in HistoryTests.cases {
                    let page = try store.history(of: "a", each.query)
                    let numbers = page.messages.map(\.sequence)
                    #expect(numbers == each.expected.map(Array.init) ?? [], "step \(step), \(each)")
                    #expect(
                        page.hasMoreBefore == each.before && page.hasMoreAfter == each.after, "step \(step), \(each)")
                    #expect(page.messages == numbers.map { Message(all[Int($0) - 1], in: "a", sequence: $0) })
                }
                #expect(try store.lastSequences(of: ["a", "nowhere", "filler"])["a"] == 20)
            }
        }
    }

    @Test func aHeavyPageIsCutAlikeAtEveryStep() throws {
        try withSteppedStore { store in
            let text = String(repeating: "x", count: HistoryPage.maximumBytes / 4)
            for _ in 0..<9 { _ = try store.append([drafts.next(text)], to: "a") }
            try store.atEveryStep { step in
                for (cursor, numbers): (HistoryQuery.Cursor, [SequenceNumber]) in [
                    (.latest, [7, 8, 9]), (.after(0), [1, 2, 3]), (.before(5), [2, 3, 4]), (.around(5), [5, 6]),
                ] {
                    let page = try store.history(of: "a", HistoryQuery(cursor))
                    #expect(page.messages.map(\.sequence) == numbers, "step \(step), \(cursor)")
                    #expect(page.isFull)
                }
            }
        }
    }

    @Test func messagesThatComeDuringAMoveFollowIt() throws {
        try withSteppedStore { store in
            _ = try store.append(drafts.many(20), to: "a")
            var count: SequenceNumber = 20
            try store.atEveryStep { step in
                count += 1
                let outcomes = try store.append(drafts.many(1), to: "a")
                let numbers = try store.history(of: "a", HistoryQuery(.latest, limit: 1000)).messages.map(\.sequence)
                #expect(outcomes == [.stored(count)] && numbers == Array(1...count), "step \(step)")
            }
            try store.moveAll()
            #expect(try store.history(of: "a", HistoryQuery(.after(0), limit: 1000)).messages.count == Int(count))
            #expect(store.session.journal.isEmpty && store.unmoved.newest(in: "a") == nil, "nothing is kept in memory")
        }
    }

    @Test func listsOfRoomsAreTheSameAtEveryStep() throws {
        try withSteppedStore { store in
            try store.transaction {
                for (id, time): (RoomID, Int64) in [("a", 1), ("b", 2), ("c", 3)] {
                    _ = try store.session.create(.group(id, at: time), participants: ["ann"])
                }
            }
            _ = try store.append(drafts.many(2, by: "bob"), to: "b")
            try store.moveAll()
            let last = drafts.next("newest", by: "bob", client: "c9", metadata: "{}")
            _ = try store.append(drafts.many(19, by: "bob") + [last], to: "a")
            _ = try store.append(drafts.many(1, by: "ann"), to: "c")
            try store.atEveryStep { step in
                let list = try store.rooms(of: "ann")
                #expect(list.map(\.snapshot.room.id) == ["c", "a", "b"], "step \(step)")
                #expect(list.map(\.unread) == [0, 20, 2] && list.map(\.snapshot.lastSequence) == [1, 20, 2])
                #expect(list.count == 3 && list[1].lastMessage == Message(last, in: "a", sequence: 20))
                #expect(try store.room("a")?.lastSequence == 20)
            }
            #expect(try store.room("a")?.readMarks == [ReadMark(userID: "bob", sequence: 20)], "sending is reading")
        }
    }

    @Test func pendingEventsAreTheSameAtEveryStep() throws {
        let owner = InstanceID("one")
        try withSteppedStore(StoreOptions(outboxOwner: owner)) { store in
            let some = drafts.many(20)
            _ = try store.append(some, to: "a")
            try store.atEveryStep { step in
                let pending = try store.pendingEvents(of: owner)
                #expect(pending.count == Self.filler + 20, "step \(step)")
                #expect(pending.suffix(20).map(\.id) == some.map(\.id) && pending.last?.roomID == "a")
                #expect(try store.backlog().count == Self.filler + 20)
                #expect(try store.backlog().oldest == pending.first?.timestamp)
            }
        }
    }

    @Test func clientIDsAreKnownAtEveryStep() throws {
        try withSteppedStore { store in
            let first = drafts.next("hello", client: "c1")
            _ = try store.append(drafts.many(15) + [first], to: "a")
            try store.atEveryStep { step in
                let again = try store.append(
                    [drafts.next("hello", client: "c1"), drafts.next("bye", client: "c1")], to: "a")
                #expect(
                    again == [.duplicate(id: first.id, sequence: 16, timestamp: first.timestamp), .conflict],
                    "step \(step)")
                let others = [drafts.next("hello", by: "bob", client: "c1"), drafts.next("hello", client: "C1")]
                if step == 0 { #expect(try store.append(others, to: "a") == [.stored(17), .stored(18)]) }
            }
        }
    }

    /// A room is deleted and made again while its messages are anywhere in a move.
    @Test(arguments: 0...3) func aClientIDOfADeletedRoomIsFreeAtEveryStep(deletedAt: Int) throws {
        try withSteppedStore { store in
            try store.transaction { _ = try store.session.create(.group("a"), participants: []) }
            _ = try store.append(drafts.many(15) + [drafts.next("then", client: "c1")], to: "a")
            let now = drafts.next("now", client: "c1")
            var step = 0
            try store.atEveryStep { _ in
                defer { step += 1 }
                guard step == deletedAt else { return }
                try store.transaction {
                    #expect(try store.session.delete("a", at: .at(2000)))
                    let made = try store.session.create(.group("a", at: 3000), participants: [])
                    #expect(made.snapshot.room.historyBase == 16 && made.snapshot.lastSequence == 16)
                }
                #expect(try store.append([now], to: "a") == [.stored(17)])
            }
            #expect(step > deletedAt, "the move had as many steps")
            try store.moveAll()
            #expect(
                try store.append([drafts.next("now", client: "c1")], to: "a")
                    == [.duplicate(id: now.id, sequence: 17, timestamp: now.timestamp)])
            #expect(try store.room("a")?.readMarks == [ReadMark(userID: "ann", sequence: 17)])
            let ids = try store.history(of: "a", HistoryQuery(.latest)).messages.map(\.body.clientMessageID)
            #expect(ids.count == 17 && ids.suffix(2) == [nil, "c1"])
        }
    }

    @Test func aRoomMadeInTheTransactionOfItsMessagesHasThem() throws {
        try withSteppedStore { store in
            let snapshot = try store.transaction {
                _ = try store.session.perform(RoomWrite(roomID: "a", lastKnown: 0, messages: drafts.many(3)))
                return try store.session.create(.group("a"), participants: ["ann"]).snapshot
            }
            #expect(snapshot.lastSequence == 3)
        }
    }

    @Test func numberingContinuesAfterTheWriterForgotTheRoom() throws {
        try withSteppedStore { store in
            _ = try store.append(drafts.many(3), to: "a")
            store.session.rollBack()
            #expect(try store.append(drafts.many(1), to: "a") == [.stored(4)])
        }
    }
}
