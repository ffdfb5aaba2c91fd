/// A user's data besides the id. Every field is optional; nil means unknown (or, in an update, unchanged).
public struct Profile: Hashable, Sendable {
    public var name: String?
    public var username: String?
    public var email: String?
    public var avatar: String?
    public var lastSeen: Timestamp?

    public init(
        name: String? = nil, username: String? = nil, email: String? = nil, avatar: String? = nil,
        lastSeen: Timestamp? = nil
    ) {
        self.name = name
        self.username = username
        self.email = email
        self.avatar = avatar
        self.lastSeen = lastSeen
    }
}
