internal import EventLoop

/// Commands over one wire: pipelined, bounded, each with a deadline. Confined to its loop.
final class CommandConnection: WireHandler {
    private let wire: RedisConnection
    private let report: (RedisState) -> Void
    private let refused: (RedisRefusal) -> Void
    private let left: (String) -> Void
    private var pipeline = CommandPipeline()
    /// Digests of the scripts that Redis was sent in full on this connection.
    private var knownScripts: Set<RedisScript> = []
    private var deadlineTimer: TimerID?
    private var trouble = "not connected yet"

    init(
        _ wire: RedisConnection, report: @escaping (RedisState) -> Void, refused: @escaping (RedisRefusal) -> Void,
        left: @escaping (String) -> Void
    ) {
        self.wire = wire
        self.report = report
        self.refused = refused
        self.left = left
        wire.handler = self
        wire.open()
    }

    func handle(_ event: WireEvent) { wire.handle(event) }

    /// Never blocks; `handler` is called once, at once when the command cannot be sent.
    func send(_ command: RedisCommand, _ handler: @escaping CommandPipeline.Handler) {
        guard wire.isReady else { return handler(.failure(.unavailable(reason: trouble))) }
        guard pipeline.count < wire.options.maximumInFlight, wire.pendingBytes < wire.options.maximumPendingBytes else {
            return handler(.failure(.unavailable(reason: "too many commands under way")))
        }
        let needsScript = write(command)
        pipeline.sent(
            command.name, deadline: wire.loop.monotonicMilliseconds + wire.options.commandTimeout,
            script: needsScript ? command : nil, handler)
        armDeadline()
    }

    /// As `send`, for a caller with less patience: told of a timeout after `milliseconds` already.
    func send(_ command: RedisCommand, within milliseconds: Int64, _ handler: @escaping CommandPipeline.Handler) {
        let loop = wire.loop
        var waiting: CommandPipeline.Handler? = handler
        func finish(_ reply: Result<RedisValue, RedisError>) {
            let handler = waiting
            waiting = nil
            handler?(reply)
        }
        let timer = loop.schedule(after: milliseconds) { finish(.failure(.timeout)) }
        send(command) { reply in
            loop.cancel(timer)
            finish(reply)
        }
    }

    func close() {
        wire.close()
        report(.closed)
        abandon(reason: "closed")
    }

    /// - Returns: whether the answer may be that Redis does not know the script.
    private func write(_ command: RedisCommand) -> Bool {
        switch command.kind {
        case .plain(let words):
            wire.write { RESPWriter.write(words, into: &$0) }
            return false
        case .script(let script, let keys, let arguments):
            let isKnown = !knownScripts.insert(script).inserted
            wire.write { RESPWriter.write(script, keys: keys, arguments: arguments, isKnown: isKnown, into: &$0) }
            return isKnown
        }
    }

    // MARK: Deadlines

    private func armDeadline() {
        guard deadlineTimer == nil, let deadline = pipeline.nextDeadline else { return }
        deadlineTimer = wire.loop.schedule(after: deadline - wire.loop.monotonicMilliseconds) { [weak self] in
            self?.deadlineReached()
        }
    }

    private func deadlineReached() {
        deadlineTimer = nil
        for handler in pipeline.expire(at: wire.loop.monotonicMilliseconds) { handler(.failure(.timeout)) }
        armDeadline()
    }

    // MARK: From the wire

    func wireConnected() { report(.connected) }

    func wireWillFlush() {}

    func wireReceived(_ value: RedisValue) {
        guard let pending = pipeline.answered() else { return wire.fail("an answer that nobody asked for") }
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
        // First the end, so that whoever is told of the refusal finds the connection gone and keeps what it had to say.
        let reason = ErrorReply.reason(code)
        wire.fail(reason)
        left(reason)
        pending.handler?(.failure(.unavailable(reason: reason)))
    }

    func wireDisconnected(reason: String) {
        report(.disconnected(reason: reason))
        abandon(reason: reason)
    }

    private func abandon(reason: String) {
        trouble = reason
        knownScripts.removeAll()
        for handler in pipeline.abandon() { handler(.failure(.interrupted(reason: reason))) }
    }

    func wireFoundReplica(reason: String) { left(reason) }

    func wireWantsSignOfLife() { send(["PING"]) { _ in } }
}
