public import ChatDomain

/// The identity under which the server accepts a caller.
public struct Identity: Hashable, Sendable {
    public var userID: UserID
    /// The name that others see; the user's id when neither token nor client gave a name.
    public var username: String
    /// Whether `username` comes from a token. A client cannot change such a name.
    public var isUsernameVerified = false
    /// Whether the identity comes from a verified token; otherwise the client claimed it.
    public var isVerified = false
    /// When the token expires; nil without a token, and for a token that does not expire.
    public var expiresAt: Timestamp?
    public var name: String?
    public var email: String?
    public var avatar: String?
    /// The roles that a verified token gives.
    public var roles: Set<String> = []

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
        name = claims.name
        email = claims.email
        avatar = claims.avatar
        roles = claims.roles
    }
}
