/// Why the store did not do it.
public enum StoreError: Error, Hashable, Sendable {
    /// It cannot be reached or written now; `reason` is for logs, never for clients.
    case unavailable(reason: String)
    /// The database refused the data itself; a retry will not help.
    case rejected(reason: String)

    /// There is nothing wrong with the store: other instances were faster, again and again.
    public static let contended = Self.unavailable(reason: "other instances were faster")
    public static let noSuchRoom = Self.rejected(reason: "there is no such room")
    /// The error of calls to a store that is closed, or for which too many calls wait.
    package static let refused = Self.unavailable(reason: "the store is closed, or too much waits for it")

    public var reason: String {
        switch self {
        case .unavailable(let reason), .rejected(let reason): reason
        }
    }
}
