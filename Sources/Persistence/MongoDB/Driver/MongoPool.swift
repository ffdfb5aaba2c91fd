import CMongoc
import ChatDomain
import Synchronization

/// The driver's connections to one deployment, and its watch over who is the primary.
final class MongoPool: Sendable {
    /// The driver documents its pool, and nothing else of it, as safe to use from any thread.
    private nonisolated(unsafe) let handle: OpaquePointer
    let database: String
    let holdsUnnumbered = Atomic(false)
    let outage = Outage()

    private static let isDriverReady: Bool = {
        mongoc_init()
        // The driver writes to the standard error by itself; what matters of it comes back as errors.
        mongoc_log_set_handler(nil, nil)
        return true
    }()

    /// - Parameters:
    ///   - uri: a connection string; where it is silent, writes wait for the journals of the majority and time out after 10 s, reads see
    ///     what the majority has, the primary has to be found within 3 s, and the database is `chat`.
    ///   - size: connections kept at most.
    /// - Throws: `.rejected` for a connection string that cannot be used; its text is not repeated, for it may hold a
    ///   password.
    init(uri text: String, size: Int) throws(StoreError) {
        precondition(Self.isDriverReady)
        var error = bson_error_t()
        guard let uri = mongoc_uri_new_with_error(text, &error) else {
            throw .rejected(reason: "the connection string cannot be read: \(MongoError.message(error))")
        }
        defer { mongoc_uri_destroy(uri) }
        Self.setDefaults(uri, size: size)
        let name = mongoc_uri_get_database(uri).map { String(cString: $0) } ?? ""
        database = name.isEmpty ? "chat" : name
        guard let pool = mongoc_client_pool_new_with_error(uri, &error) else {
            throw .rejected(reason: "the connection string cannot be used: \(MongoError.message(error))")
        }
        mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2)
        mongoc_client_pool_set_appname(pool, "chat-service")
        handle = pool
    }

    static func canRead(_ text: String) -> Bool {
        precondition(isDriverReady)
        var error = bson_error_t()
        guard let uri = mongoc_uri_new_with_error(text, &error) else { return false }
        mongoc_uri_destroy(uri)
        return true
    }

    deinit { mongoc_client_pool_destroy(handle) }

    /// A connection for the calling thread. It keeps the pool alive.
    func connection() -> MongoConnection? {
        mongoc_client_pool_pop(handle).map { MongoConnection(client: $0, pool: self) }
    }

    func takeBack(_ client: OpaquePointer) { mongoc_client_pool_push(handle, client) }

    private static func setDefaults(_ uri: OpaquePointer, size: Int) {
        func setDefault(_ option: String, _ value: Int32) {
            if !mongoc_uri_has_option(uri, option) { mongoc_uri_set_option_as_int32(uri, option, value) }
        }
        mongoc_uri_set_option_as_int32(uri, "maxpoolsize", Int32(clamping: size))
        setDefault("serverselectiontimeoutms", 3000)
        setDefault("connecttimeoutms", 3000)
        setDefault("sockettimeoutms", 10_000)
        // 0 would mean five minutes: a thread that waits so long for a server that stands still is lost to all others.
        let socketTimeout = mongoc_uri_get_option_as_int32(uri, "sockettimeoutms", 0)
        if !(1...60_000).contains(socketTimeout) {
            mongoc_uri_set_option_as_int32(uri, "sockettimeoutms", socketTimeout > 0 ? 60_000 : 10_000)
        }
        // The store settles unknown outcomes itself, and knows more of them than the driver.
        mongoc_uri_set_option_as_bool(uri, "retrywrites", false)
        setWriteConcern(uri)
        if !mongoc_uri_has_option(uri, "readconcernlevel") {
            let concern = mongoc_read_concern_new()
            mongoc_read_concern_set_level(concern, "majority")
            mongoc_uri_set_read_concern(uri, concern)
            mongoc_read_concern_destroy(concern)
        }
        // What is delivered comes from the primary, whatever the connection string prefers.
        let primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY)
        mongoc_uri_set_read_prefs_t(uri, primary)
        mongoc_read_prefs_destroy(primary)
    }

    /// What is acknowledged is in the journals of the majority: only then it outlives the end of a server. An operator's
    /// own choice of either is kept.
    private static func setWriteConcern(_ uri: OpaquePointer) {
        guard let concern = mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri)) else { return }
        defer { mongoc_write_concern_destroy(concern) }
        if !mongoc_uri_has_option(uri, "w") { mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY) }
        if !mongoc_uri_has_option(uri, "journal") { mongoc_write_concern_set_journal(concern, true) }
        mongoc_uri_set_write_concern(uri, concern)
    }
}
