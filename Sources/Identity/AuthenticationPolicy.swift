public import ChatDomain

/// Decides who a caller is, by the token and the claim they came with. Any thread may use it.
///
/// | mode | with a token | with a claim alone |
/// |---|---|---|
/// | `token` | verified | refused |
/// | `trusted`, with keys | verified; a bad one is refused, whatever the claim | believed |
/// | `trusted`, without keys | passed over, as nobody can check it | believed |
public struct AuthenticationPolicy: Sendable {
    public enum Mode: Sendable {
        /// A verified token, or nobody.
        case token
        /// Who comes without a token is believed.
        case trusted
    }

    public let mode: Mode
    private let verifier: TokenVerifier?
    private let noteRefusal: @Sendable (TokenRefusal) -> Void

    /// - Parameters:
    ///   - verifier: nil where no key is configured.
    ///   - noteRefusal: told of every token that is refused, on the caller's thread.
    public init(
        mode: Mode, verifier: TokenVerifier?, noteRefusal: @escaping @Sendable (TokenRefusal) -> Void = { _ in }
    ) {
        self.mode = mode
        self.verifier = verifier
        self.noteRefusal = noteRefusal
    }

    /// - Parameter token: an empty one counts as none.
    /// - Throws: `unauthorized` for a token that is missing or bad, whatever is bad about it; `forbidden` for a claim
    ///   to be someone other than the token's user.
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
            noteRefusal(error)
            throw .unauthorized
        }
    }
}
