import ChatDomain
import Testing

@testable import PersistenceMongoDB

/// A collection that an older program filled, without numbers.
@Suite struct MigrationTests {
    private let drafts = Drafts()

    private func withOldCollection(_ count: Int, _ body: (MongoHome, [String]) async throws -> Void) async throws {
        let home = try await MongoHome()
        try await add(count, to: home, from: 0)
        do {
            try await body(home, (0..<count).map { "old \($0)" })
        } catch {
            await home.remove()
            throw error
        }
        await home.remove()
    }

    /// The messages are inserted in another order than their times, and pairs of them have the same time.
    private func add(_ count: Int, to home: MongoHome, from start: Int) async throws {
        let documents = (start..<start + count).map { index -> BSONDocument in
            [
                "_id": .objectID(MessageID(high: 1, low: UInt32(index))), "roomId": "a", "userId": "ann",
                "username": "Ann", "message": .string("old \(index)"), "messageType": "text",
                "timestamp": .date(Int64(1000 + index / 2)),
            ]
        }
        try await home.raw { connection throws(MongoError) in
            _ = try connection.insert(documents.reversed(), isOrdered: false)
        }
    }

    private func texts(_ store: MongoStore, _ query: HistoryQuery) async throws -> [String] {
        try await store.history(of: "a", query).messages.map { "\($0.sequence) \($0.body.text)" }
    }

    private func expected(_ old: [String], _ range: ClosedRange<Int>) -> [String] {
        range.map { $0 <= old.count ? "\($0) \(old[$0 - 1])" : "\($0) new \($0)" }
    }

    @Test func oldMessagesAreServedInTheirOrderAndNewOnesFollow() async throws {
        try await withOldCollection(9) { home, old in
            let store = try await home.openMongo()
            #expect(try await store.lastSequences(of: ["a", "b"]) == ["a": 9])
            #expect(try await texts(store, HistoryQuery(.latest, limit: 4)) == expected(old, 6...9))
            #expect(await store.append([drafts.next("new 10")], to: "a") == [.stored(10)])
            #expect(await store.append([drafts.next("new 11")], to: "a", lastKnown: 10) == [.stored(11)])
            #expect(try await texts(store, HistoryQuery(.after(0))) == expected(old, 1...11))
            #expect(try await texts(store, HistoryQuery(.around(9), limit: 4)) == expected(old, 8...11))
            let room = try #require(try await store.room("a"), "old messages imply a room")
            #expect(room.room.kind == .group && !room.room.isPrivate)
            #expect(room.lastSequence == 11)
            #expect(room.room.historyBase == 0)
            #expect(try await store.room("c") == nil)
            #expect(try await store.add("ann", to: "a", limit: 5))
            #expect(try await store.rooms(of: "ann", limit: 1).first?.lastMessage?.body.text == "new 11")
            // A deleted room stays deleted.
            #expect(try await store.delete("a", at: Timestamp(milliseconds: 9)))
            #expect(try await store.room("a") == nil)
            await store.close()
        }
    }

    @Test func anExistingRoomKeepsItsOldMessages() async throws {
        try await withOldCollection(3) { home, old in
            try await home.raw { connection throws(MongoError) in
                _ = try connection.write([
                    "insert": "rooms",
                    "documents": [["roomId": "a", "type": "group", "participants": ["bob"], "createdAt": .date(5)]],
                ])
            }
            let store = try await home.openMongo()
            #expect(try await store.room("a")?.lastSequence == 3)
            let summary = try #require(try await store.rooms(of: "bob", limit: 5).first)
            #expect(summary.lastMessage?.body.text == old[2])
            #expect(summary.unread == 3)
            #expect(await store.append([drafts.next("new 4")], to: "a", lastKnown: 3) == [.stored(4)])
            await store.close()
        }
    }

    @Test func numbersAreStoredWhileTheServiceRuns() async throws {
        try await withOldCollection(1203) { home, old in
            let store = try await home.openMongo()
            #expect(await store.append([drafts.next("new 1204")], to: "a") == [.stored(1204)])
            let migration = Task { try await store.migrate() }
            for _ in 0..<10 {
                #expect(try await texts(store, HistoryQuery(.around(600), limit: 300)) == expected(old, 451...750))
            }
            #expect(try await migration.value == 1203)
            #expect(try await texts(store, HistoryQuery(.after(900), limit: 1000)) == expected(old, 901...1204))
            #expect(try await store.migrate() == 0)
            await store.close()

            let again = try await home.openMongo()
            #expect(try await texts(again, HistoryQuery(.after(0), limit: 5)) == expected(old, 1...5))
            await again.close()
        }
    }

    @Test func aStoppedMigrationContinues() async throws {
        try await withOldCollection(20) { home, old in
            let store = try await home.openMongo()
            #expect(await store.append([drafts.next("new 21")], to: "a") == [.stored(21)])
            // A killed migration left numbers on the first seven messages.
            try await home.raw { connection throws(MongoError) in
                for index in 0..<7 {
                    try connection.update(
                        "messages",
                        [
                            [
                                "q": ["_id": .objectID(MessageID(high: 1, low: UInt32(index)))],
                                "u": ["$set": ["seq": .int64(Int64(index + 1))]],
                            ]
                        ])
                }
            }
            #expect(try await texts(store, HistoryQuery(.after(0))) == expected(old, 1...21))
            #expect(try await store.migrate() == 13)
            #expect(try await texts(store, HistoryQuery(.after(0))) == expected(old, 1...21))
            await store.close()
        }
    }

    @Test func oldMessagesThatComeLateAreAppended() async throws {
        try await withOldCollection(4) { home, old in
            let store = try await home.openMongo()
            #expect(await store.append([drafts.next("new 5")], to: "a") == [.stored(5)])
            #expect(try await store.migrate() == 4)
            try await add(2, to: home, from: 10)
            #expect(try await store.numbers(of: "a", HistoryQuery(.after(0))) == [1, 2, 3, 4, 5])
            #expect(try await store.migrate() == 2)
            #expect(
                try await texts(store, HistoryQuery(.after(0))) == expected(old, 1...5) + ["6 old 10", "7 old 11"])
            await store.close()
        }
    }
}
