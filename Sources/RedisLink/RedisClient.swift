public import EventLoop
internal import Synchronization

/// Commands to one Redis server over one pipelined connection that restores itself. May be used from any thread.
///
/// Commands of one caller take effect in the order they were given; all that come within one turn of the loop leave in one
/// write. Nothing is repeated by itself, but for a script that Redis had forgotten. It lives until `close`, also when nobody
/// holds it any more.
public final class RedisClient: Sendable {
    public typealias Reply = Result<RedisValue, RedisError>

    private let gate: LoopHandle<CommandConnection>
    private let current: StateCell
    private let endpoint: RedisEndpoint
    private let options: RedisOptions
    private let shared: SharedLoop
    /// Who has to leave a server that this client had to leave.
    private let followers: Followers

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - loop: where the connection lives; it must run until `close` has returned. By default a thread of its own.
    ///   - stateChanged: called on the loop; never twice in a row with the same state.
    ///   - refused: called on the loop with every refusal, before whoever asked is answered.
    public init(
        _ endpoint: RedisEndpoint, options: RedisOptions = RedisOptions(), on loop: EventLoop? = nil,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        refused: @escaping @Sendable (RedisRefusal) -> Void = { _ in }
    ) {
        let current = StateCell(stateChanged)
        self.current = current
        self.endpoint = endpoint
        self.options = options
        shared = SharedLoop(loop, name: "redis")
        let followers = Followers()
        self.followers = followers
        gate = LoopHandle(shared) { bound, loop in
            let wire = RedisConnection(endpoint, options, on: loop) { event in bound.post { $0.handle(event) } }
            return CommandConnection(wire, report: { current.set($0) }, refused: refused, left: { followers.leave($0) })
        }
    }

    /// A subscriber to the same server. Not after `close`; but it may be closed later than the client.
    ///
    /// It cannot ask the server what it is, and a replica may pass on publications late or not at all. So it leaves a
    /// server that the client found not to be the one to write to.
    ///
    /// - Parameters:
    ///   - sharesThread: false for a thread of its own, where events take long to digest.
    ///   - stateChanged, event: as those of `RedisSubscriber`.
    public func subscriber(
        sharesThread: Bool = true, stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void
    ) -> RedisSubscriber {
        let loop = sharesThread ? shared : SharedLoop(nil, name: "redis-sub")
        let subscriber = RedisSubscriber(
            endpoint, options: options, on: loop, stateChanged: stateChanged, event: event)
        followers.add { [weak subscriber] in subscriber?.leave($0) }
        return subscriber
    }

    /// How the connection stood a moment ago.
    public var state: RedisState { current.value }

    /// Calls `observer` on the loop with the state as it is, then with every change.
    public func observe(_ observer: @escaping @Sendable (RedisState) -> Void) {
        gate.post { [current] _ in current.add(observer) }
    }

    /// One command and its answer.
    ///
    /// - Parameter milliseconds: when to give up, where that is sooner than `RedisOptions.commandTimeout`.
    public func send(
        _ command: RedisCommand, within milliseconds: Int64? = nil
    ) async throws(RedisError) -> RedisValue {
        let reply: Reply = await withCheckedContinuation { continuation in
            let isOpen = gate.post { connection in
                guard let milliseconds else { return connection.send(command) { continuation.resume(returning: $0) } }
                connection.send(command, within: milliseconds) { continuation.resume(returning: $0) }
            }
            if !isOpen { continuation.resume(returning: .failure(.unavailable(reason: "closed"))) }
        }
        return try reply.get()
    }

    public func send(_ command: [RedisArgument]) async throws(RedisError) -> RedisValue {
        try await send(RedisCommand(command))
    }

    /// Runs a script; see `RedisCommand.script`.
    public func run(
        _ script: RedisScript, keys: [RedisArgument], arguments: [RedisArgument] = [],
        within milliseconds: Int64? = nil
    ) async throws(RedisError) -> RedisValue {
        try await send(.script(script, keys: keys, arguments: arguments), within: milliseconds)
    }

    /// Several commands in order, not as a transaction.
    ///
    /// - Parameter completion: called on the loop once all are answered, with one reply for each; must not block. On another
    ///   thread where the client is closed or there is no command. It is never called before this method returns.
    public func perform(_ commands: [RedisCommand], completion: @escaping @Sendable ([Reply]) -> Void = { _ in }) {
        guard !commands.isEmpty else {
            Task { completion([]) }
            return
        }
        let isOpen = gate.post { connection in
            let replies = Replies(count: commands.count, completion)
            for (index, command) in commands.enumerated() { connection.send(command) { replies.set(index, $0) } }
        }
        if !isOpen { Task { completion(commands.map { _ in .failure(.unavailable(reason: "closed")) }) } }
    }

    /// Ends the connection; what waits for an answer fails. Whatever is asked later fails at once.
    public func close() async { await gate.close { $0.close() } }

    private final class Followers: Sendable {
        private let all = Mutex<[@Sendable (String) -> Void]>([])

        func add(_ follower: @escaping @Sendable (String) -> Void) { all.withLock { $0.append(follower) } }

        func leave(_ reason: String) {
            for follower in all.withLock({ $0 }) { follower(reason) }
        }
    }

    /// Gathers a batch's replies. Confined to the loop.
    private final class Replies {
        private var replies: [Reply?]
        private var missing: Int
        private let completion: @Sendable ([Reply]) -> Void

        init(count: Int, _ completion: @escaping @Sendable ([Reply]) -> Void) {
            replies = Array(repeating: nil, count: count)
            missing = count
            self.completion = completion
        }

        func set(_ index: Int, _ reply: Reply) {
            replies[index] = reply
            missing -= 1
            if missing == 0 { completion(replies.compactMap { $0 }) }
        }
    }
}
