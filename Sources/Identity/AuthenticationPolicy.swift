public import ChatDomain

/// Decides the identity of a caller by its token and its claim. Any thread may use it.
///
/// | mode | with a token | with a claim alone |
/// |---|---|---|
/// | `token` | verified | refused |
/// | `trusted`, with an authority | verified; a bad token is refused, whatever the claim | accepted |
/// | `trusted`, without one | ignored, as nothing can verify it | accepted |
public struct AuthenticationPolicy: Sendable {
    public enum Mode: Sendable {
        /// Callers need a token.
        case token
        /// A caller without a token has the id that it claims.
        case trusted
    }

    public let mode: Mode
    private let authorities: [any TokenAuthority]
    private let didRefuse: @Sendable (TokenRefusal) -> Void

    /// - Parameters:
    ///   - authorities: asked in this order; the first that is in charge of a token decides.
    ///   - didRefuse: called for every refused token, on any thread.
    public init(
        mode: Mode, authorities: [any TokenAuthority], didRefuse: @escaping @Sendable (TokenRefusal) -> Void = { _ in }
    ) {
        self.mode = mode
        self.authorities = authorities
        self.didRefuse = didRefuse
    }

    /// - Parameter caller: what it says of itself; an empty token counts as none.
    /// - Throws: `unauthorized` for a missing or bad token, without the reason; `forbidden` for a claim to be another user than
    ///   the token's; `auth_unavailable` where nothing can decide now.
    public func identify(_ caller: Credentials, now: Now) throws(ChatError) -> Identification {
        guard !authorities.isEmpty, let token = caller.token, !token.isEmpty else {
            guard mode == .trusted, let userID = caller.userID else { throw .unauthorized }
            return .known(Identity(claimed: userID, username: caller.username))
        }
        var doubt = Doubt()
        for (index, authority) in authorities.enumerated() {
            guard let verdict = authority.knownVerdict(on: token, now: now) else {
                return .pending(
                    PendingIdentification(
                        policy: self, caller: caller, token: token, next: index, doubt: doubt, now: now))
            }
            if let identity = try identity(of: caller, by: verdict, &doubt) { return .known(identity) }
        }
        throw refused(doubt)
    }

    /// Asks the authorities from `pending.next` on, and waits for them.
    fileprivate func identity(_ pending: PendingIdentification) async throws(ChatError) -> Identity {
        var doubt = pending.doubt
        for authority in authorities[pending.next...] {
            let verdict: TokenVerdict
            if let known = authority.knownVerdict(on: pending.token, now: pending.now) {
                verdict = known
            } else {
                verdict = await authority.verdict(on: pending.token, now: pending.now)
            }
            if let identity = try identity(of: pending.caller, by: verdict, &doubt) { return identity }
        }
        throw refused(doubt)
    }

    /// nil where the next authority has to be asked.
    private func identity(
        of caller: Credentials, by verdict: TokenVerdict, _ doubt: inout Doubt
    ) throws(ChatError) -> Identity? {
        switch verdict {
        case .valid(let claims):
            if let userID = caller.userID, userID != claims.userID {
                throw ChatError(.forbidden, "the token is another user's")
            }
            return Identity(claims, username: caller.username)
        case .refused(let reason):
            doubt.refusal = reason
            throw refused(doubt)
        case .unavailable:
            doubt.isAuthorityAway = true
            return nil
        case .notItsToken(let reason):
            doubt.refusal = doubt.refusal ?? reason
            return nil
        }
    }

    private func refused(_ doubt: Doubt) -> ChatError {
        guard !doubt.isAuthorityAway else { return .authUnavailable }
        if let reason = doubt.refusal { didRefuse(reason) }
        return .unauthorized
    }
}

/// What is known of a token that no authority has accepted so far.
fileprivate struct Doubt: Sendable {
    var refusal: TokenRefusal?
    /// An authority that might accept the token cannot be asked now.
    var isAuthorityAway = false
}

/// An identity, or the work of finding it out.
public enum Identification: Sendable {
    case known(Identity)
    /// Another server has to be asked. Not on a loop.
    case pending(PendingIdentification)

    /// Waits where another server has to be asked.
    public func identity() async throws(ChatError) -> Identity {
        switch self {
        case .known(let identity): identity
        case .pending(let pending): try await pending.identity()
        }
    }
}

/// A caller whose token another server has to judge.
public struct PendingIdentification: Sendable {
    fileprivate let policy: AuthenticationPolicy
    fileprivate let caller: Credentials
    fileprivate let token: String
    /// The index of the authority to ask next.
    fileprivate let next: Int
    fileprivate let doubt: Doubt
    fileprivate let now: Now

    /// Asks, and waits for seconds at most.
    ///
    /// - Throws: as `AuthenticationPolicy.identify`.
    public func identity() async throws(ChatError) -> Identity { try await policy.identity(self) }

    /// The same, with the refusal as a value.
    public func result() async -> Result<Identity, ChatError> {
        do throws(ChatError) { return .success(try await identity()) } catch { return .failure(error) }
    }
}
