public import ChatDomain

/// What a deployment of MongoDB says of itself, and what the next start would change in it. For operators.
public struct MongoInspection: Sendable {
    /// An index of the service that is not there, or is there with another definition.
    public struct Index: Hashable, Sendable {
        public var collection: String
        public var name: String
    }

    public enum Topology: String, Sendable {
        case single, replicaSet, sharded
    }

    public var database: String
    /// nil where the server states none.
    public var version: String?
    public var topology: Topology
    /// The server's clock.
    public var time: Timestamp?
    public var missingIndexes: [Index]
    /// The start cannot replace these.
    public var differentIndexes: [Index]
    /// Whether an older program left messages without numbers.
    public var holdsUnnumbered: Bool
    /// How many there are; nil where counting took more than five seconds.
    public var unnumberedMessages: Int?
    /// Rights that the service needs and its user does not have, as far as the server tells.
    public var missingRights: [String]
}

extension MongoStore {
    /// Looks at a deployment without changing it.
    ///
    /// - Throws: `.rejected` for a connection string that cannot be used, `.unavailable` when no primary is found.
    public static func inspect(uri: String) async throws(StoreError) -> MongoInspection {
        let options = StoreOptions()
        let pool = try MongoPool(uri: uri, size: 1)
        let workers = try MongoWorkers(
            pool: pool, count: 1, retryTimeout: options.retryTimeout, callTimeout: .seconds(60))
        let database = pool.database
        let result: Result<MongoInspection, StoreError>
        do throws(StoreError) {
            result = .success(
                try await workers.runOnce { connection throws(MongoError) in try connection.inspect(database) })
        } catch {
            result = .failure(error)
        }
        workers.close()
        await workers.finished()
        return try result.get()
    }
}

extension MongoConnection {
    fileprivate func inspect(_ database: String) throws(MongoError) -> MongoInspection {
        let hello = try read(["hello": 1])
        let holdsUnnumbered = try holdsUnnumberedMessages()
        var indexes = MongoSchema.indexes
        if holdsUnnumbered { indexes.append((MongoSchema.messages, [MongoSchema.indexForUnnumbered])) }
        var missing: [MongoInspection.Index] = []
        var different: [MongoInspection.Index] = []
        for (collection, wanted) in indexes {
            let (absent, other) = IndexComparison.compare(wanted, with: try presentIndexes(of: collection))
            missing += absent.map { MongoInspection.Index(collection: collection, name: $0) }
            different += other.map { MongoInspection.Index(collection: collection, name: $0) }
        }
        return MongoInspection(
            database: database, version: (try? read(["buildInfo": 1]))?["version"]?.text,
            topology: Self.topology(hello), time: hello["localTime"]?.timestamp, missingIndexes: missing,
            differentIndexes: different, holdsUnnumbered: holdsUnnumbered,
            unnumberedMessages: holdsUnnumbered ? countUnnumbered() : 0,
            missingRights: MongoRights.missing(
                in: (try? read(["connectionStatus": 1, "showPrivileges": true])) ?? [:], database: database))
    }

    private static func topology(_ hello: BSONDocument) -> MongoInspection.Topology {
        if hello["msg"]?.text == "isdbgrid" { return .sharded }
        return hello["setName"] == nil ? .single : .replicaSet
    }

    /// A collection that does not exist has no indexes.
    private func presentIndexes(of collection: String) throws(MongoError) -> [BSONDocument] {
        let namespaceNotFound = 26
        do throws(MongoError) {
            let reply = try read(["listIndexes": .string(collection), "cursor": ["batchSize": 100]])
            return reply["cursor"]?.document?["firstBatch"]?.array?.compactMap(\.document) ?? []
        } catch {
            if case .refused(namespaceNotFound, _) = error { return [] }
            throw error
        }
    }

    private func countUnnumbered() -> Int? {
        let filter: BSONDocument = ["seq": MongoSchema.isUnnumbered, "roomId": ["$exists": true]]
        let reply = try? read(["count": .string(MongoSchema.messages), "query": .document(filter), "maxTimeMS": 5000])
        return reply?["n"]?.integer.flatMap { Int(exactly: $0) }
    }
}

/// Compares the indexes of a collection with those that the service needs.
enum IndexComparison {
    /// - Returns: the names of those that are missing, and of those that have another key or uniqueness.
    static func compare(
        _ wanted: [BSONDocument], with found: [BSONDocument]
    ) -> (missing: [String], different: [String]) {
        var missing: [String] = []
        var different: [String] = []
        for index in wanted {
            guard let name = index["name"]?.text else { continue }
            guard let present = found.first(where: { $0["name"]?.text == name }) else {
                missing.append(name)
                continue
            }
            if !isSame(index, present) { different.append(name) }
        }
        return (missing, different)
    }

    private static func isSame(_ one: BSONDocument, _ other: BSONDocument) -> Bool {
        guard (one["unique"]?.bool ?? false) == (other["unique"]?.bool ?? false) else { return false }
        func key(_ index: BSONDocument) -> [String] {
            index["key"]?.document?.fields.map { "\($0.name):\($0.value.integer ?? 0)" } ?? []
        }
        return key(one) == key(other)
    }
}

/// The rights that the service needs on its database.
enum MongoRights {
    static let needed = ["find", "insert", "update", "remove", "createIndex", "createCollection", "listIndexes"]

    /// - Parameter status: the reply of `connectionStatus` with `showPrivileges`. Without a user the server asks for no rights.
    static func missing(in status: BSONDocument, database: String) -> [String] {
        let info = status["authInfo"]?.document
        guard info?["authenticatedUsers"]?.array?.isEmpty == false,
            let privileges = info?["authenticatedUserPrivileges"]?.array?.compactMap(\.document)
        else { return [] }
        var granted: Set<String> = []
        for privilege in privileges where covers(privilege["resource"]?.document, database) {
            granted.formUnion(privilege["actions"]?.array?.compactMap(\.text) ?? [])
        }
        return granted.contains("anyAction") ? [] : needed.filter { !granted.contains($0) }
    }

    private static func covers(_ resource: BSONDocument?, _ database: String) -> Bool {
        guard let resource else { return false }
        if resource["anyResource"]?.bool == true { return true }
        guard let name = resource["db"]?.text, resource["collection"]?.text == "" else { return false }
        return name.isEmpty || name == database
    }
}
