import CMongoc
import ChatDomain
import Synchronization

/// The driver's connections to one deployment. The driver also monitors which server is the primary.
final class MongoPool: Sendable {
    /// The driver documents that its pool may be used from any thread; its other objects may not.
    private nonisolated(unsafe) let handle: OpaquePointer
    let database: String
    let holdsUnnumbered = Atomic(false)
    let outage = Outage()

    private static let selectionTimeout = Duration.seconds(3)
    private static let connectTimeout = Duration.seconds(3)
    private static let socketTimeout = Duration.seconds(10)
    private static let maximumSocketTimeout = Duration.seconds(60)
    private static let socketTimeoutOption = "sockettimeoutms"

    private static let isDriverReady: Bool = {
        mongoc_init()
        // By default the driver logs to standard error. Its calls return the errors that matter.
        mongoc_log_set_handler(nil, nil)
        return true
    }()

    /// - Parameters:
    ///   - uri: a connection string. Defaults of what it leaves out: writes wait for the journals of the majority and time out
    ///     after 10 s, reads return what the majority has, the primary has to be found within 3 s, and the database is `chat`.
    ///   - size: the most connections.
    /// - Throws: `.rejected` for a connection string that cannot be used. The reason does not repeat it, because it may contain
    ///   a password.
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

    /// A connection for the calling thread. The connection keeps the pool alive.
    func connection() -> MongoConnection? {
        mongoc_client_pool_pop(handle).map { MongoConnection(client: $0, pool: self) }
    }

    func giveBack(_ client: OpaquePointer) { mongoc_client_pool_push(handle, client) }

    private static func setDefaults(_ uri: OpaquePointer, size: Int) {
        mongoc_uri_set_option_as_int32(uri, "maxpoolsize", Int32(clamping: size))
        for (option, span) in [
            ("serverselectiontimeoutms", selectionTimeout), ("connecttimeoutms", connectTimeout),
            (socketTimeoutOption, socketTimeout),
        ] where !mongoc_uri_has_option(uri, option) { set(option, span, uri) }
        limitSocketTimeout(uri)
        // The store resolves unknown outcomes itself, because it knows more about them than the driver.
        mongoc_uri_set_option_as_bool(uri, "retrywrites", false)
        setWriteConcern(uri)
        if !mongoc_uri_has_option(uri, "readconcernlevel") {
            let concern = mongoc_read_concern_new()
            mongoc_read_concern_set_level(concern, "majority")
            mongoc_uri_set_read_concern(uri, concern)
            mongoc_read_concern_destroy(concern)
        }
        // Messages that are delivered must come from the primary, so the connection string's preference is ignored.
        let primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY)
        mongoc_uri_set_read_prefs_t(uri, primary)
        mongoc_read_prefs_destroy(primary)
    }

    /// The driver reads 0 as five minutes. A worker that waits so long for a server that does not answer blocks the others.
    private static func limitSocketTimeout(_ uri: OpaquePointer) {
        let chosen = Duration.milliseconds(mongoc_uri_get_option_as_int32(uri, socketTimeoutOption, 0))
        if chosen <= .zero { set(socketTimeoutOption, socketTimeout, uri) }
        if chosen > maximumSocketTimeout { set(socketTimeoutOption, maximumSocketTimeout, uri) }
    }

    private static func set(_ option: String, _ span: Duration, _ uri: OpaquePointer) {
        mongoc_uri_set_option_as_int32(uri, option, Int32(clamping: span.wholeMilliseconds))
    }

    /// An acknowledged write is in the journals of the majority, so that it survives a crash of servers. The connection string
    /// can set either option differently.
    private static func setWriteConcern(_ uri: OpaquePointer) {
        guard let concern = mongoc_write_concern_copy(mongoc_uri_get_write_concern(uri)) else { return }
        defer { mongoc_write_concern_destroy(concern) }
        if !mongoc_uri_has_option(uri, "w") { mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY) }
        if !mongoc_uri_has_option(uri, "journal") { mongoc_write_concern_set_journal(concern, true) }
        mongoc_uri_set_write_concern(uri, concern)
    }
}
