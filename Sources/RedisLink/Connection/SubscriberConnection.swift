internal import EventLoop

/// One connection in subscribe mode. Confined to its loop.
final class SubscriberConnection: RedisConnectionDelegate, SubscriptionChannel {
    /// Sent in a PING behind the subscriptions of a new connection. The answer confirms all of them.
    private static let restoredMark: [UInt8] = Array("restored".utf8)
    private static let pong: [UInt8] = Array("pong".utf8)

    private let connection: RedisConnection
    private let report: (RedisState) -> Void
    private let deliver: (RedisSubscriberEvent) -> Void
    private let commands: SubscriptionCommands
    private let dropped: (SubscriptionTracker.Channel) -> Void
    private let refused: (_ code: String, _ message: String) -> Bool
    private var subscriptions = SubscriptionTracker()
    private var isRestored = false

    /// - Parameters:
    ///   - dropped: Redis ended a subscription by itself.
    ///   - refused: Redis refused a subscription; false when the connection is to end by that.
    init(
        _ connection: RedisConnection, _ commands: SubscriptionCommands = .classic,
        report: @escaping (RedisState) -> Void, deliver: @escaping (RedisSubscriberEvent) -> Void,
        dropped: @escaping (SubscriptionTracker.Channel) -> Void = { _ in },
        refused: @escaping (_ code: String, _ message: String) -> Bool = { _, _ in false }
    ) {
        self.connection = connection
        self.commands = commands
        self.report = report
        self.deliver = deliver
        self.dropped = dropped
        self.refused = refused
        connection.delegate = self
        connection.open()
    }

    func handle(_ event: RedisConnectionEvent, of node: RedisAddress? = nil) { connection.handle(event) }

    func subscribe(_ channels: [[UInt8]]) {
        for channel in channels { subscriptions.want(channel) }
        if connection.isReady { connection.scheduleFlush() }
    }

    func unsubscribe(_ channels: [[UInt8]]) {
        for channel in channels { subscriptions.unwant(channel) }
        if connection.isReady { connection.scheduleFlush() }
    }

    /// The server does not serve these channels, and nothing is to be sent about them any more.
    func forget(where isForgotten: ([UInt8]) -> Bool) { subscriptions.forget(where: isForgotten) }

    func leave(_ peer: RedisPeer, _ reason: String) {
        if connection.isReady, connection.peer == peer { connection.fail(reason) }
    }

    func close() {
        connection.close()
        report(.closed)
    }

    // MARK: From the connection

    func didConnect() {
        isRestored = false
        sendChanges()
        connection.write { RESPWriter.write(["PING", RedisArgument(Self.restoredMark)], into: &$0) }
    }

    func willFlush() {
        if connection.isReady { sendChanges() }
    }

    func didReceive(_ value: RedisValue) {
        // Without a subscription Redis answers PING as it does elsewhere.
        if let mark = value.bytes { return didReceivePong(mark) }
        if case .error(let code, let message) = value {
            guard !refused(code, message) else { return }
            return connection.fail("Redis refuses subscriptions (\(code.prefix(32)))")
        }
        guard let parts = value.array, parts.count >= 2, let kind = parts[0].bytes, let second = parts[1].bytes else {
            return connection.fail("not a message to a subscriber")
        }
        switch parts.count {
        case 3 where kind == commands.message:
            guard let payload = parts[2].bytes else { break }
            if subscriptions.isWanted(second) { deliver(.message(channel: second, payload: payload)) }
            return
        case 3 where kind == commands.unsubscribed && subscriptions.drop(second): return dropped(second)
        case 3 where kind == commands.subscribed || kind == commands.unsubscribed:
            if subscriptions.confirmed(second) { deliver(.subscribed(channel: second)) }
            return
        case 2 where kind == Self.pong: return didReceivePong(second)
        default: break
        }
        connection.fail("not a message to a subscriber")
    }

    func didDisconnect(reason: String) {
        subscriptions.connectionLost()
        report(.disconnected(reason: reason))
        if isRestored { deliver(.disconnected(reason: reason)) }
        isRestored = false
    }

    func needsPing() { connection.write { RESPWriter.write(["PING"], into: &$0) } }

    private func didReceivePong(_ mark: [UInt8]) {
        guard mark == Self.restoredMark else { return }
        isRestored = true
        report(.connected)
        deliver(.connected)
    }

    private func sendChanges() {
        let changes = subscriptions.takeChanges()
        send(commands.subscribe, changes.subscribe)
        send(commands.unsubscribe, changes.unsubscribe)
        for channel in changes.confirmed { deliver(.subscribed(channel: channel)) }
    }

    private func send(_ name: RedisArgument, _ channels: [[UInt8]]) {
        for start in stride(from: 0, to: channels.count, by: commands.channelsPerCommand) {
            let slice = channels[start..<min(start + commands.channelsPerCommand, channels.count)]
            connection.write { RESPWriter.write([name] + slice.map { RedisArgument($0) }, into: &$0) }
        }
    }
}
