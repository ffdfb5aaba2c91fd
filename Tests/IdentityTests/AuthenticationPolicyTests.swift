import ChatDomain
import Synchronization
import Testing

@testable import Identity

@Suite("The identity of a caller")
struct AuthenticationPolicyTests {
    private static let alice = UserID(unchecked: "alice")
    private static let bob = UserID(unchecked: "bob")
    private static let token = Forge.token(payload: #"{"sub":"alice","name":"Alice","exp":1767229200}"#)
    private static let nameless = Forge.token(payload: #"{"sub":"alice"}"#)

    private let tokenMode = AuthenticationPolicy(mode: .token, verifier: TokenVerifier())
    private let trustedWithKey = AuthenticationPolicy(mode: .trusted, verifier: TokenVerifier())
    private let trusted = AuthenticationPolicy(mode: .trusted, verifier: nil)

    private func identify(
        _ policy: AuthenticationPolicy, token: String? = nil, claimed: UserID? = nil, name: String? = nil
    ) throws(ChatError) -> Identity {
        try policy.identify(token: token, claimedUserID: claimed, claimedUsername: name, now: issueTime)
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
        let misconfigured = AuthenticationPolicy(mode: .token, verifier: nil)
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

    @Test("The log gets the reason of a refusal")
    func refusals() {
        let told = Mutex<[TokenRefusal]>([])
        let policy = AuthenticationPolicy(mode: .token, verifier: TokenVerifier()) { refusal in
            told.withLock { $0.append(refusal) }
        }
        _ = try? identify(policy, token: "x")
        _ = try? identify(policy, token: Forge.token(payload: "{}"))
        _ = try? identify(policy, token: Self.token)
        #expect(told.withLock { $0 } == [.notThreeParts, .missingUser])
    }
}
