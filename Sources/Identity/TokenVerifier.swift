public import ChatDomain
internal import Synchronization

/// Verifies tokens (RFC 7519 §7.2, RFC 8725). Any thread may use it.
public final class TokenVerifier: Sendable {
    /// How far the clocks of issuer and server may differ.
    public static let leeway: Duration = .seconds(30)

    /// The longest token that is verified, in bytes.
    public static var maximumTokenBytes: Int { JSONWebToken.maximumBytes }

    private let keys: Mutex<VerificationKeys>
    private let issuer: String?
    private let audience: String?

    /// - Parameters:
    ///   - issuer: the issuer that `iss` must name; nil: `iss` is not checked.
    ///   - audience: the audience that `aud` must name; nil: `aud` is not checked.
    public init(keys: VerificationKeys, issuer: String? = nil, audience: String? = nil) {
        self.keys = Mutex(keys)
        self.issuer = issuer
        self.audience = audience
    }

    /// Verifies later tokens by these keys alone. Sessions of earlier tokens stay.
    public func replaceKeys(_ keys: VerificationKeys) { self.keys.withLock { $0 = keys } }

    /// - Throws: `unauthorized`, whatever the reason.
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

    /// Whether the token is one that a public key may verify, whichever it is.
    public static func isSignedByPrivateKey(_ token: String) -> Bool {
        if case .signature = (try? JSONWebToken(parsing: token))?.algorithm { true } else { false }
    }

    /// Whether a key at hand is the one that the token names, or names no other: that key alone decides about the token.
    func hasKey(for token: String) -> Bool {
        guard let token = try? JSONWebToken(parsing: token) else { return false }
        return keys.withLock { $0 }.decide(about: token)
    }

    private func checkTimes(of claims: TokenClaims, now: Timestamp) throws(TokenRefusal) {
        let leeway = Self.leeway.wholeMilliseconds
        if let end = claims.expiresAt, now.milliseconds >= end.milliseconds + leeway {
            throw .expired
        }
        if let start = claims.notBefore, now.milliseconds < start.milliseconds - leeway {
            throw .notYetValid
        }
    }
}
