public import ChatDomain

/// What an authority says of a token.
public enum TokenVerdict: Sendable {
    case valid(TokenClaims)
    /// The authority decides about such tokens, and does not accept this one.
    case refused(TokenRefusal)
    /// The authority has no key for such tokens; another one may decide.
    case notItsToken(TokenRefusal)
    /// The authority cannot be asked now, so that nothing is known of the token.
    case unavailable
}

/// Decides about tokens: by keys of this process, by a key set of an identity provider, or by another service.
///
/// Both functions may be called from any thread.
public protocol TokenAuthority: Sendable {
    /// The verdict where it is known without waiting; nil where `verdict` has to find it out. Never blocks.
    func knownVerdict(on token: String, now: Now) -> TokenVerdict?

    /// The verdict, for a token without a known one. Returns within seconds, in any case.
    func verdict(on token: String, now: Now) async -> TokenVerdict
}

extension TokenVerifier: TokenAuthority {
    public func knownVerdict(on token: String, now: Now) -> TokenVerdict? { verdict(on: token, now: now) }

    /// The verdict of the keys at hand. A key with the token's `kid` decides, and so does a key without an id about a token
    /// without a `kid`. A key without an id leaves a token that names another key to the next authority, unless it verifies it.
    public func verdict(on token: String, now: Now) -> TokenVerdict {
        do throws(TokenRefusal) {
            return .valid(try check(token, now: now.wall))
        } catch {
            switch error {
            case .notThreeParts, .badEncoding, .malformedHeader, .algorithmNotAllowed, .unknownKey:
                return .notItsToken(error)
            case .badSignature: return hasKey(for: token) ? .refused(error) : .notItsToken(error)
            default: return .refused(error)
            }
        }
    }
}
