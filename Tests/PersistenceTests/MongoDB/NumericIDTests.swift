import ChatDomain
import TestSupport
import Testing

@testable import PersistenceMongoDB

/// Collections in which another program stored ids as numbers: they name the same rooms and users as their texts.
@Suite struct NumericIDTests {
    private let drafts = Drafts()

    private func withMongo(_ body: (MongoHome) async throws -> Void) async throws {
        let home = try await MongoHome()
        do {
            try await body(home)
        } catch {
            await home.remove()
            throw error
        }
        await home.remove()
    }

    private func insert(_ documents: [BSONDocument], into collection: String, of home: MongoHome) async throws {
        try await home.raw { connection throws(MongoError) in
            let reply = try connection.write([
                "insert": .string(collection), "documents": .documents(documents),
            ])
            #expect(reply["n"]?.integer == Int64(documents.count))
        }
    }

    private func old(_ index: Int, room: BSONValue, user: BSONValue = 7, seq: BSONValue? = nil) -> BSONDocument {
        var document: BSONDocument = [
            "_id": .objectID(MessageID(high: 9, low: UInt32(index))), "roomId": room, "userId": user, "username": "Ann",
            "message": .string("old \(index)"), "messageType": "text", "timestamp": .date(Int64(1000 + index)),
        ]
        document["seq"] = seq
        return document
    }

    private func room(_ id: BSONValue, _ participants: BSONValue) -> BSONDocument {
        ["roomId": id, "type": "group", "participants": participants, "createdAt": .date(5), "updatedAt": .date(6)]
    }

    private func texts(_ store: MongoStore, _ query: HistoryQuery = .init(.after(0))) async throws -> [String] {
        try await store.history(of: "42", query).messages.map { "\($0.sequence) \($0.body.text)" }
    }

    @Test func twoDocumentsOfAnIDAreOneRoom() async throws {
        try await withMongo { home in
            try await insert(
                [room("42", ["7", "8"]), room(.double(42), [.int64(7), "9"]), room(5, [7])], into: "rooms", of: home)
            let store = try await home.openMongo()
            let listed = try await store.rooms(of: "7", limit: 10)
            #expect(Set(listed.map(\.snapshot.room.id)) == ["42", "5"] && listed.count == 2)
            let both = try #require(listed.first { $0.snapshot.room.id == "42" })
            #expect(both.snapshot.participants == ["7", "8", "9"])
            #expect(try await store.rooms(of: "9", limit: 10).map(\.snapshot.participants) == [["7", "8", "9"]])
            #expect(
                try await store.people(of: ["42", "5", "6"]).mapValues(\.participants)
                    == ["42": ["7", "8", "9"], "5": ["7"]])
            #expect(try await store.room("5")?.participants == ["7"])

            let again = try await store.create(.group("42"), participants: ["x"])
            #expect(!again.created && again.snapshot.participants == ["7", "8", "9"])
            #expect(try await store.revise("42", RoomRevision(name: .some("renamed")), at: .at(9)))
            #expect(try await store.room("42")?.room.name == "renamed")
            #expect(try await store.add("10", to: "42", limit: 5))
            #expect(try await store.remove("7", from: "42"))
            #expect(try await store.room("42")?.participants == ["8", "9", "10"])
            #expect(try await store.rooms(of: "7", limit: 10).map(\.snapshot.room.id) == ["5"])

            #expect(try await store.delete("42", at: .at(10)))
            #expect(try await store.room("42") == nil)
            #expect(try await store.rooms(of: "8", limit: 10).isEmpty)
            let anew = try await store.create(.group("42", at: 11), participants: ["8"])
            #expect(anew.created && anew.snapshot.participants == ["8"])
            await store.close()
        }
    }

    @Test(arguments: [[BSONValue.int32(42), .double(42), .int64(42)], [.int32(42), "42", .double(42)]])
    func oldMessagesBelongToTheRoomAndNewOnesFollow(_ ids: [BSONValue]) async throws {
        try await withMongo { home in
            try await insert(
                (1...6).map { old($0, room: ids[$0 % 3], user: $0 % 2 == 0 ? 7 : "7") }, into: "messages", of: home)
            try await insert([room(42, [.double(7)])], into: "rooms", of: home)
            let store = try await home.openMongo()
            let expected = (1...6).map { "\($0) old \($0)" }
            #expect(try await texts(store) == expected)
            #expect(try await store.history(of: "42", .init(.latest)).messages.allSatisfy { $0.body.author == "7" })
            #expect(try await store.lastSequences(of: ["42"]) == ["42": 6])
            #expect(await store.append([drafts.next("new 7", by: "7")], to: "42", lastKnown: 6) == [.stored(7)])
            let summary = try #require(try await store.rooms(of: "7", limit: 5).first)
            #expect(summary.lastMessage?.body.text == "new 7" && summary.unread == 0)
            // The room's document is updated for other programs.
            let last = try await eventually {
                try await home.raw { connection throws(MongoError) in try connection.find("rooms", [:]) }
                    .map { $0["lastMessage"]?.document?["content"] }
            } holds: {
                $0 == ["new 7"]
            }
            #expect(last == ["new 7"])

            #expect(try await store.migrate() == 6)
            #expect(try await texts(store) == expected + ["7 new 7"])
            #expect(try await store.migrate() == 0)
            await store.close()
            let again = try await home.openMongo()
            #expect(try await texts(again) == expected + ["7 new 7"])
            #expect(await again.append([drafts.next("new 8")], to: "42", lastKnown: 7) == [.stored(8)])
            await again.close()
        }
    }

    @Test func aRoomWithoutADocumentExistsByItsMessages() async throws {
        try await withMongo { home in
            try await insert((1...3).map { old($0, room: 42) }, into: "messages", of: home)
            let store = try await home.openMongo()
            #expect(try await store.room("42")?.lastSequence == 3)
            #expect(try await store.room("43") == nil)
            #expect(await store.append([drafts.next("new 4")], to: "42") == [.stored(4)])
            await store.close()
        }
    }

    @Test func numbersUnderBothFormsCountTogether() async throws {
        try await withMongo { home in
            // Number 2 is stored twice; a page has each number once.
            try await insert(
                [
                    old(1, room: 42, seq: 1), old(2, room: 42, seq: 2), old(3, room: "42", seq: 2),
                    old(4, room: "42", seq: 3), old(5, room: 42, seq: 4),
                ], into: "messages", of: home)
            let store = try await home.openMongo()
            #expect(try await store.numbers(of: "42", HistoryQuery(.after(0))) == [1, 2, 3, 4])
            #expect(await store.append([drafts.next("new")], to: "42") == [.stored(5)])
            await store.close()
        }
    }

    @Test func objectIDsAreReadAsTheirDigits() async throws {
        try await withMongo { home in
            let ann = MessageID(high: 1, low: 2)
            try await insert([room(.objectID(ann), [.objectID(ann)])], into: "rooms", of: home)
            let store = try await home.openMongo()
            let id = ann.description
            #expect(try await store.rooms(of: UserID(unchecked: id), limit: 5).map(\.snapshot.room.id.value) == [id])
            await store.close()
        }
    }

    @Test func invalidRoomsAndNumbersAreSkipped() async throws {
        try await withMongo { home in
            try await insert(
                [
                    old(1, room: .double(42.5)), old(2, room: .double(1e300)), old(3, room: .null), old(4, room: true),
                    old(5, room: "a", seq: .double(1e300)), old(6, room: "a", seq: .int64(.max)),
                    old(7, room: "a", seq: .double(-1e17)), old(8, room: "a", seq: .int64(.min)),
                    old(9, room: "a", seq: .double(.infinity)),
                ], into: "messages", of: home)
            var odd = room("a", ["ann", .double(1.5), .double(1e300), .null, .int64(3)])
            for name in ["historyBase", "seqBase", "lastSeq"] { odd[name] = .int64(.max) }
            odd["createdAt"] = .int64(.min)
            odd["updatedAt"] = .double(1e300)
            try await insert([odd, room(.double(0.5), ["ann"]), room(.null, ["ann"])], into: "rooms", of: home)
            try await insert(
                [["roomId": "a", "userId": "ann", "seq": .int64(.max)]], into: "chatReadMarks", of: home)
            let store = try await home.openMongo()
            #expect(try await store.room("a")?.participants == ["ann", "3"])
            #expect(try await store.lastSequences(of: ["a"]).isEmpty)
            #expect(await store.append(drafts.many(2), to: "a") == [.stored(1), .stored(2)])
            #expect(try await store.numbers(of: "a", HistoryQuery(.around(.max))) == [1, 2])
            let listed = try #require(try await store.rooms(of: "ann", limit: 5).first)
            #expect(listed.unread == 0 && listed.lastMessage?.sequence == 2)
            #expect(listed.snapshot.room.createdAt.iso8601 == "0000-01-01T00:00:00.000Z")
            #expect(try await store.migrate() == 0)
            await store.close()
        }
    }

    @Test func metadataThatIsNoObjectIsDropped() async throws {
        try await withMongo { home in
            let documents = ["hello", "[1]", "{\"a\":", "{\"a\":1}"].enumerated().map { index, text in
                var document = old(index + 1, room: "a", seq: .int64(Int64(index + 1)))
                document["metadata"] = .string(text)
                return document
            }
            try await insert(documents, into: "messages", of: home)
            let store = try await home.openMongo()
            let page = try await store.history(of: "a", HistoryQuery(.after(0)))
            #expect(page.messages.map(\.body.metadata) == [nil, nil, nil, "{\"a\":1}"])
            await store.close()
        }
    }
}
