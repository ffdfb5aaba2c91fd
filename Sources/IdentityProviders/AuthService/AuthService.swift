public import ChatDomain
import Crypto
public import HTTPClient
public import Identity
import Synchronization
public import Telemetry

/// Has tokens verified by another service, over gRPC (`proto/auth.proto`). Any thread may use it.
///
/// Verdicts are kept for a limited time, under the tokens' digests. Callers with one token share one call. A service that
/// fails is left alone for a growing time, in which nothing is known of tokens without a kept verdict.
public final class AuthService: TokenAuthority {
    /// The time that one call may take.
    public static let deadline: Duration = .seconds(2)
    /// How long an accepted token's verdict is kept at most. The token's own end is an earlier bound.
    static let longestLifetime: Duration = .seconds(60)
    /// How long a refused token's verdict is kept.
    static let refusalLifetime: Duration = .seconds(5)
    /// Verdicts kept, of accepted tokens and of refused ones. Refused ones have a place of their own, as every client can make them.
    private static let maximumAccepted = 20_000
    private static let maximumRefused = 2_000
    /// The largest answer, in bytes.
    private static let maximumAnswerBytes = 64 * 1024
    /// How long a success of a call shows that the service is there.
    private static let probeInterval: Duration = .seconds(5)

    private struct State {
        var accepted = VerdictCache<TokenClaims>(capacity: AuthService.maximumAccepted)
        var refused = VerdictCache<TokenRefusal>(capacity: AuthService.maximumRefused)
        var gate = CallGate()
        /// The calls under way, by the digests of their tokens.
        var calls: [[UInt8]: Task<TokenVerdict, Never>] = [:]
        /// Why the last call failed; nil when it succeeded.
        var failure: String?
        var lastSuccess: Moment?
    }

    /// Sends a request of gRPC.
    typealias Transport = @Sendable (HTTPClientRequest) async -> Result<HTTPClientResponse, HTTPClientError>

    private let url: String
    private let transport: Transport
    private let clock: @Sendable () -> Now
    private let state = Mutex(State())
    private let metrics: AuthServiceMetrics
    private let trouble: OccasionalLogger

    /// - Parameters:
    ///   - url: the server and the method, as `http://host:port/package.Service/Method`; `https` for TLS.
    ///   - clock: both clocks, on any thread.
    public convenience init(
        url: String, client: HTTPClient, clock: @escaping @Sendable () -> Now, logger: Logger,
        registry: MetricsRegistry
    ) {
        self.init(url: url, clock: clock, logger: logger, registry: registry) { request in
            do throws(HTTPClientError) { return .success(try await client.send(request)) } catch {
                return .failure(error)
            }
        }
    }

    init(
        url: String, clock: @escaping @Sendable () -> Now, logger: Logger, registry: MetricsRegistry,
        transport: @escaping Transport
    ) {
        self.url = url
        self.clock = clock
        self.transport = transport
        metrics = AuthServiceMetrics(registry)
        trouble = OccasionalLogger(logger)
    }

    // MARK: Verdicts

    public func knownVerdict(on token: String, now: Now) -> TokenVerdict? {
        guard token.utf8.count <= TokenVerifier.maximumTokenBytes else { return .refused(.tooLong) }
        let digest = Digest.sha256(token.utf8)
        let now = clock().monotonic
        return state.withLock { state in
            if let kept = Self.kept(digest, state, now: now) {
                metrics.hits.add()
                return kept
            }
            return state.calls[digest] != nil || state.gate.admits(now: now) ? nil : .unavailable
        }
    }

    public func verdict(on token: String, now: Now) async -> TokenVerdict {
        let digest = Digest.sha256(token.utf8)
        let now = clock().monotonic
        let call = state.withLock { state -> Task<TokenVerdict, Never>? in
            if let kept = Self.kept(digest, state, now: now) { return Task { kept } }
            if let call = state.calls[digest] { return call }
            guard let permit = state.gate.begin(now: now) else { return nil }
            let call = Task { [self] in await self.call(token, digest, permit) }
            state.calls[digest] = call
            return call
        }
        return await call?.value ?? .unavailable
    }

    private static func kept(_ digest: [UInt8], _ state: State, now: Moment) -> TokenVerdict? {
        if let claims = state.accepted.verdict(on: digest, now: now) { return .valid(claims) }
        return state.refused.verdict(on: digest, now: now).map { .refused($0) }
    }

    // MARK: The call

    private func call(_ token: String, _ digest: [UInt8], _ permit: CallGate.Permit) async -> TokenVerdict {
        let request = GRPCCall.request(
            ValidateToken.request(token: token), to: url, deadline: Self.deadline,
            maximumBytes: Self.maximumAnswerBytes)
        let began = clock().monotonic
        let answer = await transport(request)
        let now = clock()
        metrics.observe(now.monotonic - began)
        let outcome = CallOutcome(answer, now: now.wall)
        let reason = state.withLock { state in
            state.calls[digest] = nil
            return Self.note(outcome, on: digest, permit, &state, now: now)
        }
        metrics.count(outcome)
        if let reason { trouble.warning("Auth Service does not verify tokens", ["reason": reason]) }
        return outcome.verdict
    }

    /// - Returns: the reason of a failure.
    private static func note(
        _ outcome: CallOutcome, on digest: [UInt8], _ permit: CallGate.Permit, _ state: inout State, now: Now
    ) -> String? {
        switch outcome {
        case .accepted(let claims):
            let left = claims.expiresAt.map { Duration.milliseconds($0.milliseconds - now.wall.milliseconds) }
            let end = now.monotonic + min(left ?? longestLifetime, longestLifetime)
            state.accepted.insert(claims, on: digest, until: end, now: now.monotonic)
        case .refused(let reason):
            state.refused.insert(reason, on: digest, until: now.monotonic + refusalLifetime, now: now.monotonic)
        case .notSent:
            state.gate.abandoned(permit)
            return "too many calls are under way"
        case .failed(let reason, let isServiceAway):
            state.failure = reason
            if isServiceAway {
                var random = SystemRandomNumberGenerator()
                state.gate.failed(permit, now: now.monotonic, using: &random)
            } else {
                state.gate.succeeded()
            }
            return reason
        }
        state.gate.succeeded()
        state.failure = nil
        state.lastSuccess = now.monotonic
        return nil
    }

    // MARK: Condition

    /// Why the last call failed; nil when it succeeded, and before the first.
    ///
    /// Does not wait for the service. Where no call succeeded for a while, one is begun with an empty token, so that the next
    /// answer is new.
    public func failureReason() -> String? {
        let now = clock().monotonic
        let (failure, isOld) = state.withLock { state in
            (state.failure, state.lastSuccess.map { now >= $0 + Self.probeInterval } ?? true)
        }
        if isOld { Task { [self] in _ = await verdict(on: "", now: clock()) } }
        return failure
    }
}
