public import ChatDomain

/// Who someone is, as far as the server believes it.
public struct Identity: Hashable, Sendable {
    public var userID: UserID
    /// How the user is shown to others; the user's id where nobody gave a name.
    public var username: String
    /// Whether `username` comes from a token, which a client may not change.
    public var isUsernameVerified = false
    /// Whether a verified token says all this, or just the client.
    public var isVerified = false
    /// When the token expires; nil without one, and for one that does not expire.
    public var expiresAt: Timestamp?
    public var name: String?
    public var email: String?
    public var avatar: String?

    /// Someone as they call themselves.
    public init(claimed userID: UserID, username: String?) {
        self.userID = userID
        self.username = username.flatMap { $0.isEmpty ? nil : $0 } ?? userID.value
    }

    /// Someone as a token calls them.
    ///
    /// - Parameter username: how they call themselves, for a token without a name.
    public init(_ claims: TokenClaims, username: String?) {
        self.init(claimed: claims.userID, username: claims.username ?? username)
        isUsernameVerified = claims.username != nil
        isVerified = true
        expiresAt = claims.expiresAt
        name = claims.name
        email = claims.email
        avatar = claims.avatar
    }
}
