internal import EventLoop

/// Commands over one connection: pipelined, bounded, each with a deadline. Confined to its loop.
final class CommandConnection: RedisConnectionDelegate, CommandChannel {
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

    var loop: EventLoop { connection.loop }
    /// Whether every command is answered.
    var isIdle: Bool { pipeline.count == 0 }

    func handle(_ event: RedisConnectionEvent, of node: RedisAddress? = nil) { connection.handle(event) }

    func send(_ command: RedisCommand, _ handler: @escaping CommandPipeline.Handler) {
        send(command, asking: false, handler)
    }

    /// - Parameter asking: the server is to take the command for a slot that is being moved there.
    func send(_ command: RedisCommand, asking: Bool, _ handler: @escaping CommandPipeline.Handler) {
        guard connection.isReady else { return handler(.failure(.unavailable(reason: downReason))) }
        guard pipeline.count < connection.options.maximumInFlight,
            connection.pendingBytes < connection.options.maximumPendingBytes
        else {
            return handler(.failure(.unavailable(reason: "too many commands under way")))
        }
        if asking { askFirst(for: command) }
        let needsScript = write(command)
        pipeline.didSend(
            command.name,
            deadline: connection.loop.deadline(after: connection.options.commandTimeout),
            script: needsScript ? command : nil, handler)
        armDeadline()
    }

    func close() {
        connection.close()
        report(.closed)
        abandon(reason: "closed")
    }

    /// `ASKING` holds for the next command only, so a script must not have to be sent a second time.
    private func askFirst(for command: RedisCommand) {
        if case .script(let script, _, _) = command.kind { knownScripts.remove(script) }
        send(["ASKING"]) { _ in }
    }

    /// - Returns: whether the answer may be that Redis does not know the script.
    private func write(_ command: RedisCommand) -> Bool {
        switch command.kind {
        case .plain, .publication, .subscriberCount:
            connection.write { RESPWriter.write(command.words(isSharded: false) ?? [], into: &$0) }
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
