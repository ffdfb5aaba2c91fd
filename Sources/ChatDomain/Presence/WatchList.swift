/// The users and rooms whose presence one connection watches.
public struct WatchList: Sendable {
    /// Users one connection may name.
    public static let maximumUsers = 1000
    /// Rooms whose participants one connection may watch.
    public static let maximumRooms = 100

    public private(set) var users: Set<UserID> = []
    public var watchesEverybody = false
    public var watchesFriends = false

    public init() {}

    public var isEmpty: Bool { users.isEmpty && !watchesEverybody && !watchesFriends }

    /// - Throws: `bad_request` when the list would grow past its limit; nothing is added then.
    public mutating func add(_ more: [UserID]) throws(ChatError) {
        let union = users.union(more)
        guard union.count <= Self.maximumUsers else {
            throw .badRequest("a connection may watch \(Self.maximumUsers) users at most")
        }
        users = union
    }

    public mutating func remove(_ some: [UserID]) { users.subtract(some) }
    public mutating func removeAll() { self = Self() }
}
