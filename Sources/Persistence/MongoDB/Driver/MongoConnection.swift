import CMongoc
import ChatDomain
import Synchronization

/// One connection of the pool. Its calls block. It belongs to the worker thread that took it.
final class MongoConnection {
    private let client: OpaquePointer
    private let pool: MongoPool

    init(client: OpaquePointer, pool: MongoPool) {
        self.client = client
        self.pool = pool
    }

    deinit { pool.giveBack(client) }

    /// Whether the collection may hold messages without numbers.
    var holdsUnnumbered: Bool {
        get { pool.holdsUnnumbered.load(ordering: .relaxed) }
        set { pool.holdsUnnumbered.store(newValue, ordering: .relaxed) }
    }

    /// Sends a command that writes, with the deployment's write concern.
    ///
    /// - Returns: the server's reply, which may contain errors of single documents.
    func write(_ command: BSONDocument) throws(MongoError) -> BSONDocument {
        try pool.outage.check()
        let (isDone, reply, error) = withReply { reply, error in
            Self.withBSON(command) {
                mongoc_client_write_command_with_opts(client, pool.database, $0, nil, reply, &error)
            }
        }
        if let concern = reply?["writeConcernError"]?.document {
            throw .unknown(reason: "the majority has not confirmed: \(concern["errmsg"]?.text ?? "no reason given")")
        }
        guard let reply, isDone || reply["ok"]?.integer == 1 else { throw failure(error) }
        return reply
    }

    /// Sends a command that reads and whose reply is one document.
    func read(_ command: BSONDocument) throws(MongoError) -> BSONDocument {
        try pool.outage.check()
        let (isDone, reply, error) = send(reading: command)
        guard isDone, let reply else { throw failure(error).ofRead }
        return reply
    }

    /// Looks for a primary, up to the driver's limit, and ends the outage when one answers.
    func probe() {
        let (isDone, _, error) = send(reading: ["ping": 1])
        // A refusal is an answer too.
        if isDone || MongoError(error).isAnswer { pool.outage.end() } else { pool.outage.didProbeInVain() }
    }

    /// All documents that match a query.
    ///
    /// - Parameter options: `sort`, `limit`, `skip`, `projection`, `readConcern` of the find command.
    func find(
        _ collection: String, _ filter: BSONDocument, _ options: BSONDocument = [:]
    ) throws(MongoError) -> [BSONDocument] {
        try withCollection(collection) { collection in
            Self.withBSON(filter) { filter in
                Self.withBSON(options) { mongoc_collection_find_with_opts(collection, filter, $0, nil) }
            }
        }
    }

    func aggregate(_ collection: String, _ pipeline: [BSONDocument]) throws(MongoError) -> [BSONDocument] {
        try withCollection(collection) { collection in
            Self.withBSON(["pipeline": .documents(pipeline)]) {
                mongoc_collection_aggregate(collection, MONGOC_QUERY_NONE, $0, nil, nil)
            }
        }
    }

    private func withCollection(
        _ name: String, _ open: (OpaquePointer) -> OpaquePointer?
    ) throws(MongoError) -> [BSONDocument] {
        try pool.outage.check()
        guard let collection = mongoc_client_get_collection(client, pool.database, name) else {
            throw .noEffect(reason: "no memory for a collection")
        }
        defer { mongoc_collection_destroy(collection) }
        guard let cursor = open(collection) else { throw .noEffect(reason: "no memory for a cursor") }
        defer { mongoc_cursor_destroy(cursor) }
        var documents: [BSONDocument] = []
        var current: OpaquePointer?
        while mongoc_cursor_next(cursor, &current) {
            if let current, let document = Self.document(current) { documents.append(document) }
        }
        var error = bson_error_t()
        guard !mongoc_cursor_error(cursor, &error) else { throw failure(error).ofRead }
        return documents
    }

    private func failure(_ error: bson_error_t) -> MongoError {
        let failure = MongoError(error)
        if case .noEffect = failure { pool.outage.begin() }
        return failure
    }

    private func send(reading command: BSONDocument) -> (isDone: Bool, reply: BSONDocument?, error: bson_error_t) {
        withReply { reply, error in
            Self.withBSON(command) {
                mongoc_client_read_command_with_opts(client, pool.database, $0, nil, nil, reply, &error)
            }
        }
    }

    /// Gives `body` memory for the driver's reply, and reads the reply.
    private func withReply(
        _ body: (OpaquePointer, inout bson_error_t) -> Bool
    ) -> (isDone: Bool, reply: BSONDocument?, error: bson_error_t) {
        // The driver writes the reply into this memory. Swift imports pointers to bson_t as opaque because of its alignment.
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<bson_t>.size, alignment: MemoryLayout<bson_t>.alignment)
        defer { memory.deallocate() }
        let reply = OpaquePointer(memory)
        var error = bson_error_t()
        let isDone = body(reply, &error)
        defer { bson_destroy(reply) }
        return (isDone, Self.document(reply), error)
    }

    private static func document(_ bson: OpaquePointer) -> BSONDocument? {
        guard let start = bson_get_data(bson) else { return nil }
        // A document begins with its own size.
        let header = UnsafeRawPointer(start)
        let size = Int(Int32(littleEndian: header.loadUnaligned(as: Int32.self)))
        return BSONDocument(encoded: UnsafeRawBufferPointer(start: header, count: size))
    }

    private static func withBSON<Value>(_ document: BSONDocument, _ body: (OpaquePointer?) -> Value) -> Value {
        let bytes = document.encoded
        let bson = bson_new_from_data(bytes, bytes.count)
        defer { if let bson { bson_destroy(bson) } }
        return body(bson)
    }
}
