import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceMongoDB

/// MongoDB beyond the common contract: other instances, other programs, a server that is killed.
@Suite struct MongoStoreTests {
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

    @Test func instancesNumberARoomWithoutHoles() async throws {
        try await withMongo { home in
            let stores = [try await home.openMongo(), try await home.openMongo(), try await home.openMongo()]
            let rounds = 15
            let answers = await withTaskGroup(of: [(MessageID, SequenceNumber)].self) { group in
                for (index, store) in stores.enumerated() {
                    group.addTask {
                        var answers: [(MessageID, SequenceNumber)] = []
                        for round in 0..<rounds {
                            let said = (0..<(round % 3 + 1)).map {
                                drafts.next("\(index)/\(round)/\($0)", by: "user \(index)")
                            }
                            var open = said
                            while !open.isEmpty {
                                let outcomes = await store.append(open, to: "a", lastKnown: answers.last?.1 ?? 0)
                                answers += zip(open, outcomes).compactMap { draft, outcome in
                                    outcome.storedSequence.map { (draft.id, $0) }
                                }
                                open = zip(open, outcomes).filter { $1.isUnavailable }.map(\.0)
                            }
                        }
                        return answers
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let page = try await stores[0].history(of: "a", HistoryQuery(.after(0), limit: 1000))
            let all = answers.flatMap { $0 }
            #expect(page.messages.map(\.sequence) == (1...all.count).map { SequenceNumber($0) })
            for (id, sequence) in all { #expect(page.messages[Int(sequence) - 1].id == id) }
            for sender in answers { #expect(sender.map(\.1) == sender.map(\.1).sorted()) }
            for store in stores { await store.close() }
        }
    }

    @Test func fieldsAndIndexesAreThoseThatOtherProgramsUse() async throws {
        try await withMongo { home in
            let store = try await home.openMongo(StoreOptions(outboxOwner: InstanceID("one")))
            _ = try await store.create(.group("a", name: "A", owner: "ann"), participants: ["ann", "bob"])
            let draft = drafts.next("hi", client: "c1", metadata: #"{"n":1,"x":{"y":[true,null,2.5,"z"]}}"#)
            await store.append([draft], to: "a")
            let message = try await home.raw { connection throws(MongoError) in try connection.find("messages", [:]) }[
                0]
            #expect(message["_id"] == .objectID(draft.id))
            #expect(message["roomId"] == "a")
            #expect(message["seq"] == .int64(1))
            #expect(message["userId"] == "ann")
            #expect(message["username"] == "name of ann")
            #expect(message["message"] == "hi")
            #expect(message["messageType"] == "text")
            #expect(message["timestamp"] == .date(draft.timestamp))
            #expect(message["createdAt"] == .date(draft.timestamp))
            #expect(message["metadata"] == ["n": 1, "x": ["y": [true, nil, .double(2.5), "z"]]])
            #expect(message["metadataText"] == nil)

            let lastMessage: BSONValue = [
                "content": "hi", "timestamp": .date(draft.timestamp), "senderId": "ann",
            ]
            let room = try await eventually {
                try await home.raw { connection throws(MongoError) in try connection.find("rooms", [:]) }[0]
            } holds: {
                $0["lastMessage"] == lastMessage
            }
            #expect(room["roomId"] == "a")
            #expect(room["type"] == "group")
            #expect(room["participants"] == ["ann", "bob"])
            #expect(room["createdAt"] == .date(1000))
            #expect(room["updatedAt"] == .date(draft.timestamp))

            let indexes = try await home.raw { connection throws(MongoError) in
                try connection.read(["listIndexes": "messages"])["cursor"]?.document?["firstBatch"]?.array ?? []
            }.compactMap(\.document)
            func index(_ key: BSONDocument) -> BSONDocument? { indexes.first { $0["key"]?.document == key } }
            #expect(index(["roomId": 1, "seq": 1])?["unique"]?.bool == true)
            #expect(index(["roomId": 1, "userId": 1, "clientMessageId": 1])?["unique"]?.bool == true)
            await store.close()
        }
    }

    @Test func refusedParticipantsDoNotPreventMessages() async throws {
        try await withMongo { home in
            let store = try await home.openMongo()
            try await home.raw { connection throws(MongoError) in
                // No user can be added to participants that are a text.
                _ = try connection.write([
                    "insert": "rooms",
                    "documents": [["roomId": "odd", "type": "group", "participants": "nobody", "createdAt": .date(5)]],
                ])
            }
            _ = try await store.create(.group("even"), participants: [])
            let writes = [RoomID("odd"), "even", "quiet"].map { room in
                RoomWrite(
                    roomID: room, lastKnown: 0, newParticipants: room == "quiet" ? [] : ["ann"],
                    messages: [drafts.next("said")])
            }
            let outcomes = await withCheckedContinuation { continuation in
                store.commit(writes) { continuation.resume(returning: $0) }
            }
            #expect(outcomes.map(\.drafts) == [[.stored(1)], [.stored(1)], [.stored(1)]])
            #expect(outcomes.map { $0.participantsFailure != nil } == [true, false, false])
            #expect(try await store.room("even")?.participants == ["ann"])
            await store.close()
        }
    }

    @Test func theLastMessageOfARoomIsUpdated() async throws {
        try await withMongo { home in
            let store = try await home.openMongo()
            _ = try await store.create(.group("a"), participants: [])
            for round in 0..<20 {
                await store.append([drafts.next("text \(round)")], to: "a", lastKnown: SequenceNumber(round))
            }
            await store.close()
            let room = try await home.raw { connection throws(MongoError) in try connection.find("rooms", [:]) }[0]
            #expect(room["lastSeq"]?.integer == 20)
            #expect(room["lastMessage"]?.document?["content"] == "text 19")
        }
    }

    @Test func errorsOfConnectionStringsDoNotContainThePassword() async throws {
        let error = await #expect(throws: StoreError.self) {
            try await MongoStore.open(
                uri: "mongodb://user:hidden@127.0.0.1:1/chat?serverSelectionTimeoutMS=200", options: StoreOptions())
        }
        let reason = try #require(error?.unavailableReason)
        #expect(reason.contains("127.0.0.1:1"))
        #expect(!reason.contains("hidden"))
        let unreadable = await #expect(throws: StoreError.self) {
            try await MongoStore.open(uri: "mongo://user:hidden@x", options: StoreOptions())
        }
        #expect(try #require(unreadable?.rejectedReason).contains("hidden") == false)
    }

    @Test func aKilledServerLosesAndRepeatsNoMessage() async throws {
        let server = try MongoServer(isDurable: true)
        try await server.answers()
        let store = try await MongoStore.open(
            uri: server.uri("killed") + "?serverSelectionTimeoutMS=500", options: StoreOptions())
        let rooms: [RoomID] = ["a", "b", "c"]
        let senders = Task {
            await withTaskGroup(of: [(RoomID, MessageID, RoomWriteOutcome.Draft)].self) { group in
                for room in rooms {
                    group.addTask {
                        var outcomes: [(RoomID, MessageID, RoomWriteOutcome.Draft)] = []
                        while !Task.isCancelled {
                            let said = [drafts.next("one", by: room.value), drafts.next("two", by: room.value)]
                            let last = outcomes.compactMap(\.2.storedSequence).last ?? 0
                            let answered = await store.append(said, to: room, lastKnown: last)
                            outcomes += zip(said, answered).map { (room, $0.id, $1) }
                        }
                        return outcomes
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
        }
        for _ in 0..<2 {
            func newest() async -> SequenceNumber? { try? await store.lastSequences(of: rooms)["a"] ?? 0 }
            let before = try #require(await eventually(newest) { $0 != nil } ?? nil)
            _ = await eventually(newest) { ($0 ?? 0) > before + 6 }
            server.kill()
            try server.start()
            try await server.answers()
        }
        _ = await eventually {
            try? await store.probe()
        } holds: {
            $0 != nil
        }
        senders.cancel()
        let outcomes = await senders.value
        for room in rooms {
            let page = try await store.history(of: room, HistoryQuery(.after(0), limit: 1000))
            #expect(page.messages.map(\.sequence) == (0..<page.messages.count).map { SequenceNumber($0 + 1) })
            let stored = outcomes.filter { $0.0 == room && $0.2.storedSequence != nil }
            #expect(stored.count == page.messages.count, "exactly the messages answered as stored are stored")
            for (_, id, outcome) in stored {
                #expect(page.messages.first { $0.id == id }?.sequence == outcome.storedSequence)
            }
        }
        await store.close()
        server.kill()
    }
}
