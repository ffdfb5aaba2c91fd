public import ChatDomain
internal import Synchronization

/// Says whether a token is to be believed (RFC 7519 §7.2, RFC 8725). Any thread may use it.
public final class TokenVerifier: Sendable {
    /// How far the clocks of issuer and server may be apart, in milliseconds.
    public static let leewayMilliseconds: Int64 = 30_000

    private let keys: Mutex<VerificationKeys>
    private let issuer: String?
    private let audience: String?

    /// - Parameters:
    ///   - issuer: whom `iss` must name; nil: it is not looked at.
    ///   - audience: who must be `aud` or among it; nil: it is not looked at.
    public init(keys: VerificationKeys, issuer: String? = nil, audience: String? = nil) {
        self.keys = Mutex(keys)
        self.issuer = issuer
        self.audience = audience
    }

    /// From the next token on these keys count, and no others.
    public func replaceKeys(_ keys: VerificationKeys) { self.keys.withLock { $0 = keys } }

    /// - Throws: the same `unauthorized` for whatever is wrong with the token.
    public func verify(_ token: String, now: Timestamp) throws(ChatError) -> TokenClaims {
        do throws(TokenRefusal) { return try check(token, now: now) } catch { throw .unauthorized }
    }

    /// Like `verify`, with the reason of a refusal.
    public func check(_ token: String, now: Timestamp) throws(TokenRefusal) -> TokenClaims {
        let token = try JSONWebToken(parsing: token)
        try keys.withLock { $0 }.check(token)
        let claims = try TokenClaims(payload: token.payload)
        try checkTimes(of: claims, now: now)
        if let issuer, claims.issuer != issuer { throw .wrongIssuer }
        if let audience, !claims.audiences.contains(audience) { throw .wrongAudience }
        return claims
    }

    private func checkTimes(of claims: TokenClaims, now: Timestamp) throws(TokenRefusal) {
        if let end = claims.expiresAt, now.milliseconds >= end.milliseconds + Self.leewayMilliseconds {
            throw .expired
        }
        if let start = claims.notBefore, now.milliseconds < start.milliseconds - Self.leewayMilliseconds {
            throw .notYetValid
        }
    }
}
