internal import EventLoop

/// One wire in subscribe mode. Confined to its loop.
final class SubscriberConnection: WireHandler {
    /// Channels named in one command, so that Redis is never held up by one.
    private static let channelsPerCommand = 500
    /// Asked behind the subscriptions of a new connection: its answer says that they stand.
    private static let restoredMark: [UInt8] = Array("restored".utf8)

    private let wire: RedisConnection
    private let report: (RedisState) -> Void
    private let deliver: (RedisSubscriberEvent) -> Void
    private var book = SubscriptionTracker()
    private var isRestored = false

    init(
        _ wire: RedisConnection, report: @escaping (RedisState) -> Void,
        deliver: @escaping (RedisSubscriberEvent) -> Void
    ) {
        self.wire = wire
        self.report = report
        self.deliver = deliver
        wire.handler = self
        wire.open()
    }

    func handle(_ event: WireEvent) { wire.handle(event) }

    func subscribe(_ channels: [[UInt8]]) {
        for channel in channels { book.want(channel) }
        if wire.isReady { wire.scheduleFlush() }
    }

    func unsubscribe(_ channels: [[UInt8]]) {
        for channel in channels { book.unwant(channel) }
        if wire.isReady { wire.scheduleFlush() }
    }

    /// Leaves a server that is not the one to listen to any more.
    func leave(_ reason: String) {
        if wire.isReady { wire.fail(reason) }
    }

    func close() {
        wire.close()
        report(.closed)
    }

    // MARK: From the wire

    func wireConnected() {
        isRestored = false
        sendChanges()
        wire.write { RESPWriter.write(["PING", RedisArgument(Self.restoredMark)], into: &$0) }
    }

    func wireWillFlush() {
        if wire.isReady { sendChanges() }
    }

    func wireReceived(_ value: RedisValue) {
        // Without a subscription Redis answers PING as it does elsewhere.
        if let mark = value.bytes { return ponged(mark) }
        if case .error(let code, _) = value {
            return wire.fail("Redis refuses subscriptions (\(code.prefix(32)))")
        }
        guard let parts = value.array, let kind = parts.first?.text else {
            return wire.fail("not what a subscriber is told")
        }
        switch (kind, parts.count) {
        case ("message", 3):
            guard let channel = parts[1].bytes, let payload = parts[2].bytes else { break }
            if book.isWanted(channel) { deliver(.message(channel: channel, payload: payload)) }
            return
        case ("subscribe", 3), ("unsubscribe", 3):
            guard let channel = parts[1].bytes else { break }
            if book.confirmed(channel) { deliver(.subscribed(channel: channel)) }
            return
        case ("pong", 2): return ponged(parts[1].bytes ?? [])
        default: break
        }
        wire.fail("not what a subscriber is told")
    }

    func wireDisconnected(reason: String) {
        book.connectionLost()
        report(.disconnected(reason: reason))
        if isRestored { deliver(.disconnected(reason: reason)) }
        isRestored = false
    }

    func wireWantsSignOfLife() { wire.write { RESPWriter.write(["PING"], into: &$0) } }

    private func ponged(_ mark: [UInt8]) {
        guard mark == Self.restoredMark else { return }
        isRestored = true
        report(.connected)
        deliver(.connected)
    }

    private func sendChanges() {
        let changes = book.takeChanges()
        send("SUBSCRIBE", changes.subscribe)
        send("UNSUBSCRIBE", changes.unsubscribe)
        for channel in changes.standing { deliver(.subscribed(channel: channel)) }
    }

    private func send(_ name: RedisArgument, _ channels: [[UInt8]]) {
        for start in stride(from: 0, to: channels.count, by: Self.channelsPerCommand) {
            let slice = channels[start..<min(start + Self.channelsPerCommand, channels.count)]
            wire.write { RESPWriter.write([name] + slice.map { RedisArgument($0) }, into: &$0) }
        }
    }
}
