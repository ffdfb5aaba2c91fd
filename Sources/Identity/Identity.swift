public import ChatDomain

/// The identity under which the server accepts a caller.
public struct Identity: Hashable, Sendable {
    public var userID: UserID
    /// The name that others see; the user's id when neither token nor client gave a name.
    public var username: String
    private var details = Details.none
    /// When the token expires; nil without a token, and for a token that does not expire.
    public var expiresAt: Timestamp?
    /// Whether `username` comes from a token. A client cannot change such a name.
    public var isUsernameVerified = false
    /// Whether the identity comes from a verified token; otherwise the client claimed it.
    public var isVerified = false

    /// What only tokens say. On the heap, because each session keeps its identity, and many have nothing here.
    private indirect enum Details: Hashable, Sendable {
        case none
        case some(Profile, roles: Set<String>)
    }

    /// What a token says of the user besides the username.
    public var profile: Profile { if case .some(let profile, _) = details { profile } else { Profile() } }

    /// The roles that a verified token gives.
    public var roles: Set<String> { if case .some(_, let roles) = details { roles } else { [] } }

    /// Takes over what a token said.
    public mutating func set(_ profile: Profile, roles: Set<String> = []) {
        details = profile == Profile() && roles.isEmpty ? .none : .some(profile, roles: roles)
    }

    /// An identity that a client claims.
    public init(claimed userID: UserID, username: String?) {
        self.userID = userID
        self.username = username.flatMap { $0.isEmpty ? nil : $0 } ?? userID.value
    }

    /// The identity of a token.
    ///
    /// - Parameter username: the name that the client claims, for a token without a name.
    public init(_ claims: TokenClaims, username: String?) {
        self.init(claimed: claims.userID, username: claims.username ?? username)
        isUsernameVerified = claims.username != nil
        isVerified = true
        expiresAt = claims.expiresAt
        set(Profile(name: claims.name, email: claims.email, avatar: claims.avatar), roles: claims.roles)
    }
}
