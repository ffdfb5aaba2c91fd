public import ChatDomain
public import HTTPClient
public import Identity
import Synchronization
public import Telemetry

/// Verifies tokens by a key set that another server publishes. Any thread may use it.
///
/// The last good set is kept while the server is away. Tokens whose key it holds are verified without waiting.
public final class RemoteKeySet: TokenAuthority {
    private struct State {
        var schedule: KeySetSchedule
        /// The fetch under way.
        var fetch: Task<Void, Never>?
        /// Fetches when the set is due.
        var refresh: Task<Void, Never>?
        /// Why the last fetch failed; nil when it succeeded.
        var failure: String?
        var keyCount = 0
    }

    private let verifier: TokenVerifier
    private let fetcher: @Sendable () async -> Result<FetchedKeySet, KeySetFetchFailure>
    private let clock: @Sendable () -> Moment
    private let state: Mutex<State>
    private let logger: Logger
    private let trouble: OccasionalLogger
    private let fetched: Counter
    private let failed: Counter

    /// - Parameters:
    ///   - issuer: the issuer that `iss` must name; nil: `iss` is not checked.
    ///   - audience: the audience that `aud` must name; nil: `aud` is not checked.
    public convenience init(
        _ location: KeySetLocation, client: HTTPClient, issuer: String?, audience: String?,
        clock: @escaping @Sendable () -> Moment, logger: Logger, registry: MetricsRegistry
    ) {
        let fetcher = KeySetFetcher(location: location, client: client)
        self.init(issuer: issuer, audience: audience, clock: clock, logger: logger, registry: registry) {
            do throws(KeySetFetchFailure) { return .success(try await fetcher.fetch()) } catch {
                return .failure(error)
            }
        }
    }

    init(
        issuer: String? = nil, audience: String? = nil, clock: @escaping @Sendable () -> Moment, logger: Logger,
        registry: MetricsRegistry, fetcher: @escaping @Sendable () async -> Result<FetchedKeySet, KeySetFetchFailure>
    ) {
        verifier = TokenVerifier(keys: .none, issuer: issuer, audience: audience)
        self.fetcher = fetcher
        self.clock = clock
        state = Mutex(State(schedule: KeySetSchedule(now: clock())))
        self.logger = logger
        trouble = OccasionalLogger(logger)
        let help = "Fetches of the key set of the identity provider, by their result."
        fetched = registry.counter("chat_key_set_fetches_total", help: help, labels: ["result": "fetched"])
        failed = registry.counter("chat_key_set_fetches_total", help: help, labels: ["result": "failed"])
        registry.gauge("chat_key_set_keys", help: "Keys of the identity provider's set that verify tokens.") {
            [weak self] in Double(self?.keyCount ?? 0)
        }
    }

    private var keyCount: Int { state.withLock { $0.keyCount } }

    /// Fetches the set now, and again whenever it is due, until `stop`.
    public func start() {
        let task = Task { [weak self] in
            while !Task.isCancelled, let wait = await self?.fetchIfDue() { try? await Task.sleep(for: wait) }
        }
        state.withLock { $0.refresh = task }
    }

    /// Fetches the set now, or waits for the fetch under way.
    ///
    /// - Returns: why it failed; nil when it succeeded.
    public func refetch() async -> String? {
        await state.withLock { beginFetch(&$0) }.value
        return state.withLock { $0.failure }
    }

    public func stop() { state.withLock { $0.refresh }?.cancel() }

    /// The condition for `/ready`.
    public var condition: KeySetCondition {
        state.withLock { state in
            guard let failure = state.failure else {
                return state.keyCount > 0 ? .current : .missing("not fetched yet")
            }
            return state.keyCount > 0 ? .outdated(failure) : .missing(failure)
        }
    }

    // MARK: Verdicts

    public func knownVerdict(on token: String, now: Now) -> TokenVerdict? {
        let verdict = verifier.verdict(on: token, now: now)
        guard case .notItsToken = verdict, TokenVerifier.isSignedByPrivateKey(token) else { return verdict }
        return state.withLock { state in
            if state.fetch != nil || state.schedule.mayFetchForUnknownKey(now: clock()) { return nil }
            return state.schedule.isCurrent ? verdict : .unavailable
        }
    }

    /// Waits for the fetch under way, or for one of its own where the token's key is not in the set.
    public func verdict(on token: String, now: Now) async -> TokenVerdict {
        await fetchForUnknownKey()?.value
        let verdict = verifier.verdict(on: token, now: now)
        guard case .notItsToken = verdict else { return verdict }
        return state.withLock { $0.schedule.isCurrent } ? verdict : .unavailable
    }

    // MARK: Fetching

    /// - Returns: how long to wait before the next call.
    private func fetchIfDue() async -> Duration {
        let due = state.withLock { state -> Task<Void, Never>? in
            state.schedule.nextFetch <= clock() ? beginFetch(&state) : nil
        }
        await due?.value
        return state.withLock { max(.milliseconds(100), $0.schedule.nextFetch - clock()) }
    }

    private func fetchForUnknownKey() -> Task<Void, Never>? {
        state.withLock { state in
            if let fetch = state.fetch { return fetch }
            let now = clock()
            guard state.schedule.mayFetchForUnknownKey(now: now) else { return nil }
            state.schedule.beginForUnknownKey(now: now)
            return beginFetch(&state)
        }
    }

    /// One fetch at a time: callers share it.
    private func beginFetch(_ state: inout State) -> Task<Void, Never> {
        if let fetch = state.fetch { return fetch }
        let fetch = Task { [self] in finish(await fetcher()) }
        state.fetch = fetch
        return fetch
    }

    private func finish(_ result: Result<FetchedKeySet, KeySetFetchFailure>) {
        switch result {
        case .success(let set): take(set)
        case .failure(let failure): note(failure)
        }
    }

    private func take(_ set: FetchedKeySet) {
        fetched.add()
        verifier.replaceKeys(set.keys)
        let isNews = state.withLock { state in
            defer {
                state.failure = nil
                state.keyCount = set.keys.count
                state.fetch = nil
                state.schedule.succeeded(maximumAge: set.maximumAge, now: clock())
            }
            return state.failure != nil || state.keyCount != set.keys.count
        }
        if isNews { logger.notice("key set fetched", ["keys": set.keys.count, "unusable": set.keys.ignored.count]) }
    }

    private func note(_ failure: KeySetFetchFailure) {
        failed.add()
        state.withLock { state in
            state.failure = failure.description
            state.fetch = nil
            var random = SystemRandomNumberGenerator()
            state.schedule.failed(now: clock(), using: &random)
        }
        trouble.warning("key set not fetched; the previous one stays in use", ["reason": failure.description])
    }
}

/// The condition of a fetched key set. The reasons are for operators.
public enum KeySetCondition: Hashable, Sendable {
    case current
    /// The last fetch failed; an earlier set is in use.
    case outdated(String)
    /// There is no set, so that no token of the provider can be verified.
    case missing(String)
}
