import ChatDomain
import Identity
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import IdentityProviders

/// The answers of a key set's server, and how often it was asked.
private final class KeySetServer: Sendable {
    private struct State {
        var answer: Result<FetchedKeySet, KeySetFetchFailure> = .failure(.init(description: "away"))
        var requests = 0
        var now = Moment(milliseconds: 1_000_000)
    }

    private let state = Mutex(State())

    var requests: Int { state.withLock { $0.requests } }
    var now: Moment { state.withLock { $0.now } }

    func advance(by span: Duration) { state.withLock { $0.now = $0.now + span } }

    func goAway() { state.withLock { $0.answer = .failure(.init(description: "away")) } }

    func publish(_ keys: String...) throws {
        let set = try VerificationKeys(jwks: Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8))
        state.withLock { $0.answer = .success(FetchedKeySet(keys: set, maximumAge: nil)) }
    }

    func answer() -> Result<FetchedKeySet, KeySetFetchFailure> {
        state.withLock { state in
            state.requests += 1
            return state.answer
        }
    }
}

extension TokenVerdict {
    /// One word for the case.
    var name: String {
        switch self {
        case .valid: "valid"
        case .refused: "refused"
        case .notItsToken: "not its token"
        case .unavailable: "unavailable"
        }
    }
}

@Suite("Verifying by a key set of another server")
struct RemoteKeySetTests {
    private let server: KeySetServer
    private let keySet: RemoteKeySet
    private let now = Now(
        wall: Timestamp(milliseconds: TokenFixtures.issuedAt * 1000), monotonic: Moment(milliseconds: 0))

    init() {
        let server = KeySetServer()
        self.server = server
        keySet = RemoteKeySet(clock: { server.now }, logger: .disabled, registry: MetricsRegistry()) { server.answer() }
    }

    private func known(_ token: String) -> String? { keySet.knownVerdict(on: token, now: now)?.name }
    private func verdict(_ token: String) async -> String { await keySet.verdict(on: token, now: now).name }

    @Test("A token waits for the first fetch, later ones do not wait")
    func firstFetch() async throws {
        try server.publish(TokenFixtures.p256Key)
        #expect(known(TokenFixtures.es256Named) == nil)
        #expect(await verdict(TokenFixtures.es256Named) == "valid")
        #expect(known(TokenFixtures.es256Named) == "valid")
        #expect(known(TokenFixtures.es256Named.dropLast(4) + "AAAA") == "refused")
        #expect(server.requests == 1 && keySet.condition == .current)
    }

    @Test("A new key is found by the token that names it, once in thirty seconds")
    func rotation() async throws {
        try server.publish(TokenFixtures.p256Key)
        #expect(await verdict(TokenFixtures.es256Named) == "valid")
        server.advance(by: .seconds(30))
        #expect(await verdict(TokenFixtures.rs256Named) == "not its token")
        try server.publish(TokenFixtures.rsaKey)
        #expect(known(TokenFixtures.rs256Named) == "not its token")
        #expect(await verdict(TokenFixtures.rs256Named) == "not its token")
        #expect(server.requests == 2)
        server.advance(by: .seconds(30))
        #expect(known(TokenFixtures.rs256Named) == nil)
        #expect(await verdict(TokenFixtures.rs256Named) == "valid")
        #expect(await verdict(TokenFixtures.es256Named) == "not its token")
        #expect(server.requests == 3)
    }

    @Test("Without a set a token cannot be judged; a set is kept while its server is away")
    func away() async throws {
        #expect(await verdict(TokenFixtures.es256Named) == "unavailable")
        #expect(known(TokenFixtures.es256Named) == "unavailable")
        #expect(keySet.condition == .missing("away"))
        server.advance(by: .seconds(30))
        try server.publish(TokenFixtures.p256Key)
        #expect(await verdict(TokenFixtures.es256Named) == "valid")
        server.goAway()
        server.advance(by: .seconds(30))
        #expect(await verdict(TokenFixtures.rs256Named) == "unavailable")
        #expect(known(TokenFixtures.rs256Named) == "unavailable")
        #expect(known(TokenFixtures.es256Named) == "valid")
        #expect(keySet.condition == .outdated("away"))
    }

    @Test("Tokens that no public key can verify cause no fetch", arguments: ["", "x", "a.b.c", "e30.e30.e30"])
    func foreign(token: String) {
        #expect(known(token) == "not its token")
        #expect(server.requests == 0)
    }
}
