import ChatDomain
import Testing

@testable import PersistenceMongoDB

/// What an operator is told of a deployment before the service starts.
@Suite struct MongoInspectionTests {
    @Test func anEmptyDatabaseIsInspectedAndStaysEmpty() async throws {
        let home = try await MongoHome()
        let inspection = try await MongoStore.inspect(uri: home.server.uri(home.database))
        #expect(
            inspection.missingIndexes.contains { $0.collection == "messages" && $0.name == MongoSchema.numberIndex })
        #expect(inspection.missingIndexes.count == MongoSchema.indexes.reduce(0) { $0 + $1.indexes.count })
        #expect(!inspection.holdsUnnumbered && inspection.version != nil && inspection.missingRights == [])
        let names = try await home.raw { connection throws(MongoError) in
            try connection.read(["listCollections": 1, "nameOnly": true])
        }
        #expect(names["cursor"]?.document?["firstBatch"]?.array == [])
        await (try await home.openMongo()).close()
        let later = try await MongoStore.inspect(uri: home.server.uri(home.database))
        #expect(later.missingIndexes == [] && later.differentIndexes == [])
        await home.remove()
    }

    @Test func messagesWithoutNumbersAreCounted() async throws {
        let home = try await MongoHome()
        try await home.raw { connection throws(MongoError) in
            _ = try connection.insert(
                [["roomId": "a", "message": "old"], ["roomId": "b", "seq": 1]], isOrdered: false)
        }
        let inspection = try await MongoStore.inspect(uri: home.server.uri(home.database))
        #expect(inspection.holdsUnnumbered && inspection.unnumberedMessages == 1)
        await home.remove()
    }

    @Test func indexesAreComparedByKeyAndUniqueness() {
        let wanted = [MongoSchema.index("a_1", ["a": 1], unique: true), MongoSchema.index("b_1", ["b": 1])]
        func names(_ found: [BSONDocument]) -> [[String]] {
            let (missing, different) = IndexComparison.compare(wanted, with: found)
            return [missing, different]
        }
        #expect(names([]) == [["a_1", "b_1"], []])
        #expect(names(wanted) == [[], []])
        // A server may answer with doubles, and with fields of its own.
        #expect(
            names([
                ["name": "a_1", "key": ["a": .double(1)], "unique": true, "v": 2], ["name": "b_1", "key": ["b": 1]],
            ])
                == [[], []])
        #expect(
            names([["name": "a_1", "key": ["a": 1]], ["name": "b_1", "key": ["b": -1]]]) == [[], ["a_1", "b_1"]])
        #expect(names([["name": 7], [:]]) == [["a_1", "b_1"], []])
    }

    @Test func rightsAreThoseOnTheWholeDatabase() {
        func status(_ resource: BSONDocument, _ actions: [BSONValue]) -> BSONDocument {
            [
                "authInfo": [
                    "authenticatedUsers": [["user": "chat", "db": "admin"]],
                    "authenticatedUserPrivileges": [["resource": .document(resource), "actions": .array(actions)]],
                ]
            ]
        }
        let all = MongoRights.needed.map { BSONValue.string($0) }
        #expect(MongoRights.missing(in: status(["db": "chat", "collection": ""], all), database: "chat") == [])
        #expect(MongoRights.missing(in: status(["db": "", "collection": ""], all), database: "chat") == [])
        #expect(MongoRights.missing(in: status(["anyResource": true], ["anyAction"]), database: "chat") == [])
        #expect(
            MongoRights.missing(in: status(["db": "other", "collection": ""], all), database: "chat")
                == MongoRights.needed)
        #expect(
            MongoRights.missing(in: status(["db": "chat", "collection": "messages"], all), database: "chat")
                == MongoRights.needed)
        #expect(
            MongoRights.missing(in: status(["db": "chat", "collection": ""], ["find"]), database: "chat")
                == MongoRights.needed.filter { $0 != "find" })
        // Without a user the server asks for no rights.
        #expect(MongoRights.missing(in: ["authInfo": ["authenticatedUsers": []]], database: "chat") == [])
        #expect(MongoRights.missing(in: [:], database: "chat") == [])
    }
}
