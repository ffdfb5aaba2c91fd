internal import EventLoop

/// Commands over one connection: pipelined, bounded, each with a deadline. Confined to its loop.
final class CommandConnection: RedisConnectionDelegate {
    private let connection: RedisConnection
    private let report: (RedisState) -> Void
    private let refused: (RedisRefusal) -> Void
    private let didLeaveServer: (RedisPeer, String) -> Void
    private var pipeline = CommandPipeline()
    /// Digests of the scripts that Redis was sent in full on this connection.
    private var knownScripts: Set<RedisScript> = []
    private var deadlineTimer: TimerID?
    /// Where the last connection was made to.
    private var peer: RedisPeer?
    /// Why there is no connection.
    private var downReason = "not connected yet"

    init(
        _ connection: RedisConnection, report: @escaping (RedisState) -> Void,
        refused: @escaping (RedisRefusal) -> Void,
        didLeaveServer: @escaping (RedisPeer, String) -> Void
    ) {
        self.connection = connection
        self.report = report
        self.refused = refused
        self.didLeaveServer = didLeaveServer
        connection.delegate = self
        connection.open()
    }

    func handle(_ event: RedisConnectionEvent) { connection.handle(event) }

    /// Never blocks; `handler` is called once, at once when the command cannot be sent.
    func send(_ command: RedisCommand, _ handler: @escaping CommandPipeline.Handler) {
        guard connection.isReady else { return handler(.failure(.unavailable(reason: downReason))) }
        guard pipeline.count < connection.options.maximumInFlight,
            connection.pendingBytes < connection.options.maximumPendingBytes
        else {
            return handler(.failure(.unavailable(reason: "too many commands under way")))
        }
        let needsScript = write(command)
        pipeline.didSend(
            command.name,
            deadline: connection.loop.deadline(after: connection.options.commandTimeout),
            script: needsScript ? command : nil, handler)
        armDeadline()
    }

    /// As `send`, with a shorter time limit: the caller gets a timeout after `limit`. The answer is still awaited on the
    /// connection, and dropped.
    func send(_ command: RedisCommand, within limit: Duration, _ handler: @escaping CommandPipeline.Handler) {
        let loop = connection.loop
        var waiting: CommandPipeline.Handler? = handler
        func finish(_ reply: Result<RedisValue, RedisError>) {
            let handler = waiting
            waiting = nil
            handler?(reply)
        }
        let timer = loop.schedule(after: limit) { finish(.failure(.timeout)) }
        send(command) { reply in
            loop.cancel(timer)
            finish(reply)
        }
    }

    func close() {
        connection.close()
        report(.closed)
        abandon(reason: "closed")
    }

    /// - Returns: whether the answer may be that Redis does not know the script.
    private func write(_ command: RedisCommand) -> Bool {
        switch command.kind {
        case .plain(let words):
            connection.write { RESPWriter.write(words, into: &$0) }
            return false
        case .script(let script, let keys, let arguments):
            let isKnown = !knownScripts.insert(script).inserted
            connection.write { RESPWriter.write(script, keys: keys, arguments: arguments, isKnown: isKnown, into: &$0) }
            return isKnown
        }
    }

    // MARK: Deadlines

    private func armDeadline() {
        guard deadlineTimer == nil, let deadline = pipeline.nextDeadline else { return }
        let wait = Duration.milliseconds(deadline - connection.loop.monotonicMilliseconds)
        deadlineTimer = connection.loop.schedule(after: wait) { [weak self] in self?.deadlineReached() }
    }

    private func deadlineReached() {
        deadlineTimer = nil
        for handler in pipeline.expire(at: connection.loop.monotonicMilliseconds) { handler(.failure(.timeout)) }
        armDeadline()
    }

    // MARK: From the connection

    func didConnect() {
        if let peer, peer != connection.peer { didLeaveServer(peer, "Redis is at another address") }
        peer = connection.peer
        report(.connected)
    }

    func willFlush() {}

    func didReceive(_ value: RedisValue) {
        guard let pending = pipeline.takeAnswered() else { return connection.fail("an answer without a command") }
        guard case .error(let word, let message) = value else {
            pending.handler?(.success(value))
            return
        }
        let code = ErrorReply.code(word, message)
        if code == "NOSCRIPT", let command = pending.script, case .script(let script, _, _) = command.kind {
            knownScripts.remove(script)
            if let handler = pending.handler { send(command, handler) }
            return
        }
        refused(RedisRefusal(code, pending.name))
        guard ErrorReply.endsConnection(code) else {
            pending.handler?(.failure(.server(code: code, message: message)))
            return
        }
        // The connection ends first, so that the handler finds it gone and keeps what it wanted to send.
        let reason = ErrorReply.reason(code)
        connection.fail(reason)
        if let peer { didLeaveServer(peer, reason) }
        pending.handler?(.failure(.unavailable(reason: reason)))
    }

    func didDisconnect(reason: String) {
        report(.disconnected(reason: reason))
        abandon(reason: reason)
    }

    private func abandon(reason: String) {
        downReason = reason
        knownScripts.removeAll()
        for handler in pipeline.abandon() { handler(.failure(.interrupted(reason: reason))) }
    }

    func didFindReplica(at peer: RedisPeer, reason: String) { didLeaveServer(peer, reason) }

    func needsPing() { send(["PING"]) { _ in } }
}
