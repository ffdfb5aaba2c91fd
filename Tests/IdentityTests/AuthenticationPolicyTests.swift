import ChatDomain
import Synchronization
import TestSupport
import Testing

@testable import Identity

@Suite("The identity of a caller")
struct AuthenticationPolicyTests {
    private static let alice = UserID(unchecked: "alice")
    private static let bob = UserID(unchecked: "bob")
    private static let token = Forge.token(payload: #"{"sub":"alice","name":"Alice","exp":1767229200}"#)
    private static let nameless = Forge.token(payload: #"{"sub":"alice"}"#)

    private let tokenMode = AuthenticationPolicy(mode: .token, authorities: [TokenVerifier()])
    private let trustedWithKey = AuthenticationPolicy(mode: .trusted, authorities: [TokenVerifier()])
    private let trusted = AuthenticationPolicy(mode: .trusted, authorities: [])

    private func identify(
        _ policy: AuthenticationPolicy, token: String? = nil, claimed: UserID? = nil, name: String? = nil
    ) throws(ChatError) -> Identity {
        let caller = Credentials(token: token, userID: claimed, username: name)
        let now = Now(wall: issueTime, monotonic: Moment(milliseconds: 0))
        guard case .known(let identity) = try policy.identify(caller, now: now) else { throw ChatError.authUnavailable }
        return identity
    }

    @Test("A verified token wins, in either mode")
    func verified() throws {
        for policy in [tokenMode, trustedWithKey] {
            for claim in [nil, Self.alice] {
                let identity = try identify(policy, token: Self.token, claimed: claim, name: "Someone")
                #expect(identity.userID == Self.alice)
                #expect(identity.username == "Alice")
                #expect(identity.isVerified)
                #expect(identity.isUsernameVerified)
                #expect(identity.expiresAt == seconds(3600))
            }
        }
    }

    @Test("A claim to be someone other than the token's user is forbidden")
    func otherUser() {
        for policy in [tokenMode, trustedWithKey] {
            let error = #expect(throws: ChatError.self) { try identify(policy, token: Self.token, claimed: Self.bob) }
            #expect(error?.code == .forbidden)
        }
    }

    @Test("A bad token is refused whatever the claim, and alike for all reasons")
    func badToken() {
        let bad = ["x", Self.token + "x", Forge.token(payload: #"{"sub":"alice","exp":1}"#)]
        for policy in [tokenMode, trustedWithKey] {
            for token in bad {
                #expect(throws: ChatError.unauthorized) { try identify(policy, token: token, claimed: Self.alice) }
                #expect(throws: ChatError.unauthorized) { try identify(policy, token: token, claimed: Self.bob) }
            }
        }
    }

    @Test("A claim alone is refused where tokens are asked for, and believed in trusted mode")
    func claimAlone() throws {
        #expect(throws: ChatError.unauthorized) { try identify(tokenMode, claimed: Self.alice) }
        #expect(throws: ChatError.unauthorized) { try identify(tokenMode, token: "", claimed: Self.alice) }
        for policy in [trusted, trustedWithKey] {
            for token in [nil, ""] {
                let identity = try identify(policy, token: token, claimed: Self.bob, name: "Bobby")
                #expect(identity.userID == Self.bob)
                #expect(identity.username == "Bobby")
                #expect(!identity.isVerified)
                #expect(!identity.isUsernameVerified)
                #expect(identity.expiresAt == nil)
            }
        }
    }

    @Test("A caller without token and claim has no identity")
    func noIdentity() {
        for policy in [tokenMode, trusted, trustedWithKey] {
            #expect(throws: ChatError.unauthorized) { try identify(policy, name: "Bobby") }
        }
    }

    @Test("Without keys a token counts for nothing, and the claim beside it is believed")
    func tokenWithoutKeys() throws {
        #expect(throws: ChatError.unauthorized) { try identify(trusted, token: Self.token) }
        let identity = try identify(trusted, token: Self.token, claimed: Self.bob)
        #expect(identity.userID == Self.bob)
        #expect(!identity.isVerified)
        let misconfigured = AuthenticationPolicy(mode: .token, authorities: [])
        #expect(throws: ChatError.unauthorized) { try identify(misconfigured, token: Self.token, claimed: Self.alice) }
    }

    @Test("A caller without a name gets the claimed one, else the id")
    func names() throws {
        let named = try identify(tokenMode, token: Self.nameless, name: "Al")
        #expect(named.username == "Al")
        #expect(!named.isUsernameVerified)
        #expect(try identify(tokenMode, token: Self.nameless).username == "alice")
        #expect(try identify(trusted, claimed: Self.bob).username == "bob")
        #expect(try identify(trusted, claimed: Self.bob, name: "").username == "bob")
    }

    /// An authority that says the same of every token, at once or after a wait.
    private struct FixedAuthority: TokenAuthority {
        let fixed: TokenVerdict
        var isDistant = false

        func knownVerdict(on token: String, now: Now) -> TokenVerdict? { isDistant ? nil : fixed }
        func verdict(on token: String, now: Now) async -> TokenVerdict { fixed }
    }

    private static let accepting = TokenVerdict.valid(TokenClaims(userID: bob, username: "Bob", expiresAt: nil))

    /// What authorities make of a token together: the user, or the code of the refusal.
    private func outcome(_ authorities: [any TokenAuthority], token: String = "t") async -> String {
        let policy = AuthenticationPolicy(mode: .token, authorities: authorities)
        let now = Now(wall: issueTime, monotonic: Moment(milliseconds: 0))
        do throws(ChatError) {
            return try await policy.identify(Credentials(token: token), now: now).identity().userID.value
        } catch { return error.code.rawValue }
    }

    @Test("The first authority that is in charge of a token decides", arguments: [false, true])
    func order(isDistant: Bool) async {
        func authority(_ verdict: TokenVerdict) -> any TokenAuthority {
            FixedAuthority(fixed: verdict, isDistant: isDistant)
        }
        let (accepting, refusing) = (authority(Self.accepting), authority(.refused(.expired)))
        let (foreign, away) = (authority(.notItsToken(.unknownKey)), authority(.unavailable))
        #expect(await outcome([accepting, refusing]) == "bob")
        #expect(await outcome([refusing, accepting]) == "unauthorized")
        #expect(await outcome([foreign, accepting]) == "bob")
        #expect(await outcome([foreign, foreign]) == "unauthorized")
        #expect(await outcome([away, accepting]) == "bob")
        // The first might have accepted it.
        #expect(await outcome([away, refusing]) == "auth_unavailable")
        #expect(await outcome([foreign, away]) == "auth_unavailable")
        #expect(await outcome([away, foreign]) == "auth_unavailable")
    }

    @Test("Keys at hand decide about tokens of their kind, others are left to the next")
    func keysFirst() async throws {
        let next = FixedAuthority(fixed: Self.accepting, isDistant: true)
        let secret = TokenVerifier()
        #expect(await outcome([secret, next], token: Self.token) == "alice")
        #expect(await outcome([secret, next], token: Self.token.dropLast(4) + "AAAA") == "unauthorized")
        #expect(await outcome([secret, next], token: Forge.token(payload: #"{"sub":"a","exp":1}"#)) == "unauthorized")
        #expect(await outcome([secret, next], token: "opaque") == "bob")
        #expect(await outcome([secret, next], token: TokenFixtures.es256) == "bob")
        // A key without an id does not decide about a token that names another.
        let pem = try TokenVerifier(pem: TestKeys.p256)
        #expect(await outcome([pem, next], token: TokenFixtures.es256Named) == "alice")
        #expect(await outcome([pem, next], token: TokenFixtures.es256Named.dropLast(4) + "AAAA") == "bob")
        #expect(await outcome([pem, next], token: TokenFixtures.es256.dropLast(4) + "AAAA") == "unauthorized")
    }

    @Test("Keys at hand decide without waiting")
    func withoutWaiting() throws {
        let policy = AuthenticationPolicy(
            mode: .token, authorities: [TokenVerifier(), FixedAuthority(fixed: Self.accepting, isDistant: true)])
        #expect(try identify(policy, token: Self.token).userID == Self.alice)
        let now = Now(wall: issueTime, monotonic: Moment(milliseconds: 0))
        guard case .pending = try policy.identify(Credentials(token: "opaque"), now: now) else {
            Issue.record("an answer of another server was there at once")
            return
        }
    }

    @Test("The log gets the reason of a refusal")
    func refusals() {
        let told = Mutex<[TokenRefusal]>([])
        let policy = AuthenticationPolicy(mode: .token, authorities: [TokenVerifier()]) { refusal in
            told.withLock { $0.append(refusal) }
        }
        _ = try? identify(policy, token: "x")
        _ = try? identify(policy, token: Forge.token(payload: "{}"))
        _ = try? identify(policy, token: Self.token)
        #expect(told.withLock { $0 } == [.notThreeParts, .missingUser])
    }
}
