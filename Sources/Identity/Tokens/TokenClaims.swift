public import ChatDomain
import JSON

/// The claims of an accepted token (RFC 7519 §4; profile claims of OpenID Connect Core §5.1).
public struct TokenClaims: Hashable, Sendable {
    /// `sub`, else `userId`, else `id`; a number stands for its decimal text.
    public var userID: UserID
    /// `username`, else `name`, else `preferred_username`.
    public var username: String?
    public var name: String?
    public var email: String?
    /// `avatar`, else `picture`.
    public var avatar: String?
    /// nil for a token that does not expire.
    public var expiresAt: Timestamp?
    public var notBefore: Timestamp?
    public var issuedAt: Timestamp?
    public var issuer: String?
    public var audiences: [String]
    /// `roles`, a list of texts; others are ignored.
    public var roles: Set<String> = []

    /// Claims that another service vouches for.
    public init(userID: UserID, username: String?, expiresAt: Timestamp?) {
        self.userID = userID
        self.username = username.flatMap { Self.isUsable(name: $0) ? $0 : nil }
        self.expiresAt = expiresAt
        audiences = []
    }

    init(payload: [UInt8]) throws(TokenRefusal) {
        guard let claims = try? JSONValue(parsing: payload), claims.object != nil else { throw .malformedClaims }
        userID = try Self.userID(claims)
        username = Self.displayName(claims, ["username", "name", "preferred_username"])
        name = Self.displayName(claims, ["name"])
        email = claims["email"]?.string
        avatar = (claims["avatar"] ?? claims["picture"])?.string
        expiresAt = try Self.date(claims["exp"])
        notBefore = try Self.date(claims["nbf"])
        issuedAt = try Self.date(claims["iat"])
        issuer = claims["iss"]?.string
        roles = Self.roles(claims["roles"])
        audiences = claims["aud"]?.array?.compactMap(\.string) ?? claims["aud"]?.string.map { [$0] } ?? []
    }

    /// Roles beyond so many are ignored, and longer ones.
    private static let maximumRoles = 64
    private static let maximumRoleCharacters = 128

    private static func roles(_ claim: JSONValue?) -> Set<String> {
        Set(
            (claim?.array ?? []).prefix(maximumRoles).compactMap(\.string)
                .filter { ShortText.isFit($0, maximumCharacters: maximumRoleCharacters) })
    }

    private static func userID(_ claims: JSONValue) throws(TokenRefusal) -> UserID {
        let claim = ["sub", "userId", "id"].lazy.compactMap { claims[$0] }.first { !$0.isNull }
        guard let text = claim?.string ?? claim?.integer.map(String.init),
            let userID = try? UserID(validating: text, field: "sub")
        else { throw .missingUser }
        return userID
    }

    /// The first of these claims that is usable as a name. Other values are ignored, as a bad name is no reason to refuse a
    /// token.
    private static func displayName(_ claims: JSONValue, _ names: [String]) -> String? {
        names.lazy.compactMap { claims[$0]?.string }.first(where: isUsable)
    }

    private static func isUsable(name: String) -> Bool {
        !name.isEmpty && ShortText.isFit(name, maximumCharacters: UserID.maximumCharacters)
    }

    /// Seconds since the epoch, with or without a fraction (RFC 7519 §2).
    private static func date(_ claim: JSONValue?) throws(TokenRefusal) -> Timestamp? {
        guard let claim else { return nil }
        guard let seconds = claim.number else { throw .malformedClaims }
        // Milliseconds that a Double holds exactly: some 285,000 years each way.
        let milliseconds = min(max(seconds * 1000, -0x1p53), 0x1p53)
        return Timestamp(milliseconds: Int64(milliseconds))
    }
}
