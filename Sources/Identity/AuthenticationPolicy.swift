public import ChatDomain

/// Decides the identity of a caller by its token and its claim. Any thread may use it.
///
/// | mode | with a token | with a claim alone |
/// |---|---|---|
/// | `token` | verified | refused |
/// | `trusted`, with keys | verified; a bad token is refused, whatever the claim | accepted |
/// | `trusted`, without keys | ignored, as no key can verify it | accepted |
public struct AuthenticationPolicy: Sendable {
    public enum Mode: Sendable {
        /// Callers need a token.
        case token
        /// A caller without a token has the id that it claims.
        case trusted
    }

    public let mode: Mode
    private let verifier: TokenVerifier?
    private let didRefuse: @Sendable (TokenRefusal) -> Void

    /// - Parameters:
    ///   - verifier: nil when no key is configured.
    ///   - didRefuse: called for every refused token, on the caller's thread.
    public init(
        mode: Mode, verifier: TokenVerifier?, didRefuse: @escaping @Sendable (TokenRefusal) -> Void = { _ in }
    ) {
        self.mode = mode
        self.verifier = verifier
        self.didRefuse = didRefuse
    }

    /// - Parameter token: an empty token counts as none.
    /// - Throws: `unauthorized` for a missing or bad token, without the reason; `forbidden` for a claim to be another user than
    ///   the token's.
    public func identify(
        token: String?, claimedUserID: UserID?, claimedUsername: String?, now: Timestamp
    ) throws(ChatError) -> Identity {
        if let verifier, let token, !token.isEmpty {
            let claims = try claims(of: token, by: verifier, now: now)
            if let claimedUserID, claimedUserID != claims.userID {
                throw ChatError(.forbidden, "the token is another user's")
            }
            return Identity(claims, username: claimedUsername)
        }
        guard mode == .trusted, let claimedUserID else { throw .unauthorized }
        return Identity(claimed: claimedUserID, username: claimedUsername)
    }

    private func claims(
        of token: String, by verifier: TokenVerifier, now: Timestamp
    ) throws(ChatError) -> TokenClaims {
        do throws(TokenRefusal) {
            return try verifier.check(token, now: now)
        } catch {
            didRefuse(error)
            throw .unauthorized
        }
    }
}
