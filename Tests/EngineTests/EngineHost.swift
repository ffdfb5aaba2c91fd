@testable import Engine
import EventLoop
import Telemetry
import TestSupport
import WireProtocols

/// An engine on a loop of its own, with a handler that tests can hold back and let go.
actor EngineHost {
    nonisolated let loop = EventLoop(name: "engine-test")
    private var engine: EngineContext?
    private var listener: Listener?
    private let script = Script()
    private let turns = TurnLog()
    private let metrics = EngineMetrics(MetricsRegistry())
    /// The port it listens on.
    private(set) var port: UInt16 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    /// Runs `body` against an engine, and ends it.
    ///
    /// - Parameter slice: the time of a turn for output, where it is not all written at once.
    static func serve(
        slice: Duration? = nil, _ change: (inout EngineConfiguration) -> Void = { _ in },
        _ body: (EngineHost, UInt16) async throws -> Void
    ) async throws {
        var configuration = EngineConfiguration()
        change(&configuration)
        let host = EngineHost()
        host.loop.start()
        try await host.listen(configuration, slice)
        do { try await body(host, await host.port) } catch {
            await host.end()
            throw error
        }
        await host.end()
    }

    private func listen(_ configuration: EngineConfiguration, _ slice: Duration?) throws {
        let engine = try EngineContext(loop: loop, configuration: configuration, metrics: metrics, logger: .disabled)
        engine.handler = script
        loop.turnEnd = { [unowned engine, turns, metrics] in
            engine.decodePending()
            let before = metrics.writes.value
            if let slice { engine.flush(for: slice) } else { engine.flush() }
            turns.writes.append(Int(metrics.writes.value - before))
        }
        self.engine = engine
        let listener = try Listener(
            on: loop, address: IPAddress(high: 0, low: 0xFFFF_7F00_0001), port: 0, shared: false,
            accepted: { [unowned engine] descriptor, peer in engine.adopt(descriptor: descriptor, peer: peer) })
        self.listener = listener
        port = listener.port
    }

    private func end() {
        listener?.close()
        for connection in engine?.allConnections ?? [] { connection.abort() }
        loop.turnEnd = {}
        loop.stop()
    }

    // MARK: Streamed bodies

    var uploadsHeld: Int { script.uploads.count }
    var uploaded: (bytes: Int, hasEnded: Bool, isCutOff: Bool)? {
        script.uploads.last.map { ($0.counter.bytes, $0.counter.hasEnded, $0.counter.isCutOff) }
    }
    var produced: (bytes: Int, isStopped: Bool)? { script.makers.last.map { ($0.produced, $0.isStopped) } }

    /// Takes the body of the latest request to `/upload`.
    func takeUpload(slowly isSlow: Bool = false) {
        guard let (connection, counter) = script.uploads.last else { return }
        counter.isSlow = isSlow
        connection.receiveBody(counter)
    }

    /// Reads on where a slow reader has stopped.
    func readUpload() {
        script.uploads.last?.counter.isSlow = false
        script.uploads.last?.connection.resume()
    }

    func refuseUpload() { script.uploads.last?.connection.respond(HTTPResponse(status: 403)) }

    // MARK: Observations and actions of tests

    /// How often each turn wrote to a socket.
    var writesOfTurns: [Int] { turns.writes }

    var connectionCount: Int { engine?.connectionCount ?? 0 }
    var acceptedCount: UInt64 { metrics.accepted.value }
    var slowConsumers: UInt64 { metrics.slowConsumers.value }
    var dropped: UInt64 { metrics.dropped.value }
    var heldPaths: [String] { script.held.map(\.path) }
    var upgradesHeld: Int { script.heldUpgrades.count }
    var abandoned: Int { script.abandoned }
    var closeCodes: [UInt16?] { script.closeCodes }
    var received: [String] { script.received }

    /// Answers the oldest request held at `/hold…`, with its path as the body.
    func answerHeld() {
        guard !script.held.isEmpty else { return }
        let (connection, path) = script.held.removeFirst()
        connection.respond(HTTPResponse(status: 200, body: Array(path.utf8)))
    }

    /// Upgrades the oldest request held at `/hold-upgrade`.
    func upgradeHeld() {
        guard !script.heldUpgrades.isEmpty else { return }
        let (connection, head) = script.heldUpgrades.removeFirst()
        script.upgrade(head, connection)
    }

    /// Lets the loop run for so long by its own clock.
    func wait(_ span: Duration) async {
        await withCheckedContinuation { continuation in loop.schedule(after: span) { continuation.resume() } }
    }

    func resumeAll() { script.sockets.forEach { $0.resume() } }

    /// Queues a message of `bytes` letters on every WebSocket.
    func broadcast(_ letter: Character, bytes: Int, isDroppable: Bool = false) {
        let frame = frame(letter, bytes: bytes)
        for socket in script.sockets { socket.send(frame, isDroppable: isDroppable) }
    }

    private func frame(_ letter: Character, bytes: Int) -> [UInt8] {
        var frame: [UInt8] = []
        WebSocketEncoder.append(.text, payload: [UInt8](repeating: letter.asciiValue ?? 0, count: bytes), to: &frame)
        return frame
    }

    /// Queues a message of `bytes` letters on every WebSocket, which may wait for others.
    func broadcastPatiently(_ letter: Character, bytes: Int = 1) {
        let frame = frame(letter, bytes: bytes)
        for socket in script.sockets { socket.sendPatiently(frame, atMost: .seconds(1)) }
    }

    /// What waits on all WebSockets behind a message that may wait, and what of it their clients have not taken.
    func bytesOfPatientBroadcast(_ letter: Character) -> (queued: Int, untaken: Int) {
        broadcastPatiently(letter)
        return (queuedBytes, untakenBytes)
    }

    /// The same for several messages in one turn; the most bytes that were queued.
    func broadcastPatiently(_ letter: Character, bytes: Int, times: Int) -> Int {
        mostQueued(in: times) { broadcastPatiently(letter, bytes: bytes) }
    }

    /// Queues one that may wait, and closes every WebSocket while the message waits.
    func broadcastPatientlyAndClose(_ letter: Character) {
        broadcastPatiently(letter)
        for socket in script.sockets { socket.close(code: 1001, reason: "") }
    }

    /// Queues one that may wait, and the oldest WebSocket ends while the message waits.
    func broadcastPatientlyAndAbortFirst(_ letter: Character) {
        broadcastPatiently(letter)
        script.sockets.first?.abort()
    }

    /// The same for several messages, each in the turn behind the last.
    func broadcastPatientlyInTurns(_ letters: [Character]) {
        guard let letter = letters.first else { return }
        broadcastPatiently(letter)
        loop.schedule(after: .zero) { self.assumeIsolated { $0.broadcastPatientlyInTurns(Array(letters.dropFirst())) } }
    }

    /// Queues messages, of which all but the last may wait.
    func broadcastPatiently(_ letters: String, then last: Character) {
        for letter in letters { broadcastPatiently(letter) }
        broadcast(last, bytes: 1)
    }

    /// Queues so many messages on every WebSocket in one turn; the most bytes that were queued.
    func broadcast(_ letter: Character, bytes: Int, times: Int) -> Int {
        mostQueued(in: times) { broadcast(letter, bytes: bytes) }
    }

    private func mostQueued(in times: Int, _ broadcast: () -> Void) -> Int {
        (0..<times).reduce(0) { most, _ in
            broadcast()
            return max(most, queuedBytes)
        }
    }

    /// Queues a message of one letter on every WebSocket, and the next one in the turn behind.
    func broadcastInTurns(_ letters: [Character]) {
        guard let letter = letters.first else { return }
        broadcast(letter, bytes: 1)
        loop.schedule(after: .zero) { self.assumeIsolated { $0.broadcastInTurns(Array(letters.dropFirst())) } }
    }

    var untakenBytes: Int { script.sockets.reduce(0) { $0 + $1.untakenBytes } }
    var queuedBytes: Int { script.sockets.reduce(0) { $0 + $1.queuedBytes } }
    var socketCount: Int { script.sockets.count }

    func setStrangers(_ areStrangers: Bool) { script.sockets.forEach { $0.isStranger = areStrangers } }

    /// How often a queue became short for a drain waiter.
    private(set) var drained = 0

    func awaitDrain(to bytes: Int) {
        for socket in script.sockets { socket.whenDrained(to: bytes) { self.assumeIsolated { $0.drained += 1 } } }
    }
}

/// What the turns of a loop did.
private final class TurnLog {
    var writes: [Int] = []
}

/// Counts the bytes of a streamed body. It stops reading after each part while it is slow.
final class BodyCounter: RequestBodyReceiver {
    var bytes = 0
    var parts = 0
    var isSlow = false
    private(set) var hasEnded = false
    private(set) var isCutOff = false
    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    func received(_ part: [UInt8]) {
        bytes += part.count
        parts += 1
        if isSlow { connection.pause() }
    }

    func receivedEnd() {
        hasEnded = true
        connection.respond(HTTPResponse(status: 201, body: Array("\(bytes)".utf8)))
    }

    func cutOff() { isCutOff = true }
}

/// Gives a body of any length, 64 KiB at a time.
final class BodyMaker: ResponseBodySource {
    private(set) var produced = 0
    private(set) var isStopped = false
    private let length: Int
    /// Bytes after which it gives an empty part.
    private let limit: Int
    private let connection: Connection

    init(_ connection: Connection, length: Int, failsAfter limit: Int) {
        self.connection = connection
        self.length = length
        self.limit = limit
    }

    func produce() {
        let count = min(65_536, length - produced, limit - produced)
        produced += count
        connection.sendBody([UInt8](repeating: 120, count: count))
    }

    func stop() { isStopped = true }
}

/// Answers by path: `/now` at once, `/hold…` when the test demands it, `/big` with 4 MB, `/long-poll` never, `/ws` by upgrading, `/stream/N` and `/broken/N` with N bytes in parts. Bodies to `/upload` are streamed.
private final class Script: EngineHandler, WebSocketHandler {
    var held: [(connection: Connection, path: String)] = []
    var heldUpgrades: [(Connection, HTTPRequestHead)] = []
    var sockets: [Connection] = []
    var received: [String] = []
    var closeCodes: [UInt16?] = []
    var abandoned = 0
    var uploads: [(connection: Connection, counter: BodyCounter)] = []
    var makers: [BodyMaker] = []

    func bodyRule(for head: HTTPRequestHead) -> HTTPBodyRule {
        head.path == "/upload" ? .streamed(maximumBytes: 1 << 30) : .collected
    }

    func received(_ request: HTTPRequest, on connection: Connection) {
        let path = request.head.path ?? ""
        if request.isStreamed { return uploads.append((connection, BodyCounter(connection))) }
        let words = path.split(separator: "/")
        if words.count == 2, let length = Int(words[1]) {
            let maker = BodyMaker(connection, length: length, failsAfter: words[0] == "broken" ? length / 2 : length)
            makers.append(maker)
            return connection.respond(HTTPResponse(status: 200), length: length, from: maker)
        }
        if path.hasPrefix("/hold-upgrade") { return heldUpgrades.append((connection, request.head)) }
        if path.hasPrefix("/hold") { return held.append((connection, path)) }
        switch path {
        case "/ws": upgrade(request.head, connection)
        case "/long-poll": connection.treatsEndAsGone = true
        case "/big": connection.respond(HTTPResponse(status: 200, body: [UInt8](repeating: 98, count: 4_000_000)))
        case "/echo": connection.respond(HTTPResponse(status: 200, body: request.body))
        default: connection.respond(HTTPResponse(status: 200, body: Array(path.utf8)))
        }
    }

    func upgrade(_ head: HTTPRequestHead, _ connection: Connection) {
        do throws(HTTPRefusal) {
            let handshake = try WebSocketHandshake(head, deflate: connection.deflatePolicy)
            connection.upgrade(handshake, handler: self)
            sockets.append(connection)
        } catch {
            connection.closeAfterAnswer()
            connection.respond(HTTPResponse(status: error.status, fields: error.fields))
        }
    }

    func abandoned(_ connection: Connection) {
        abandoned += 1
        held.removeAll { $0.connection === connection }
    }

    func response(to refusal: HTTPRefusal) -> HTTPResponse {
        HTTPResponse(status: refusal.status, body: Array(refusal.detail.utf8))
    }

    /// Echoes every message but the commands `pause` and `close`.
    func received(text: UnsafeRawBufferPointer, isPadded: Bool, on connection: Connection) {
        let text = String(decoding: text, as: UTF8.self)
        received.append(text.count > 100 ? "\(text.count) characters" : text)
        switch text {
        case "pause": connection.pause()
        case "close": connection.close(code: 4400, reason: "asked for")
        default: connection.sendMessage(Array(text.utf8), isText: true)
        }
    }

    func received(binary: UnsafeRawBufferPointer, on connection: Connection) {
        connection.sendMessage(Array(binary), isText: false)
    }

    func closed(_ connection: Connection, code: UInt16?) {
        closeCodes.append(code)
        sockets.removeAll { $0 === connection }
    }
}
