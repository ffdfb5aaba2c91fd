import ChatDomain
import EventLoop
import Telemetry

/// Sends messages to running servers and checks that each member receives each message once and in order.
public enum MessageBench {
    /// Runs one bench on a loop of its own. Returns when every copy has arrived, or five seconds after the last message was sent.
    public static func run(_ options: MessageBenchOptions) async -> BenchResult {
        let loop = EventLoop(name: "bench")
        loop.start()
        let result = await withCheckedContinuation { continuation in
            loop.post { MessageBenchRun(options, loop: loop) { continuation.resume(returning: $0) }.begin() }
        }
        loop.stop()
        return result
    }
}

/// One run: connects the clients, sends at the given rate, and keeps the tally. Confined to its loop; timers and clients keep it
/// alive until it has ended.
private final class MessageBenchRun {
    private static let connectingAtOnce = 64
    /// How long the last copies may take.
    private static let drain: Duration = .seconds(5)
    private static let tick: Duration = .milliseconds(2)

    private let options: MessageBenchOptions
    private let loop: EventLoop
    private let contexts: [BenchContext]
    private var clients: [MessageClient] = []
    /// The highest sequence number each client received; nil until it has joined.
    private var lastSequences: [Int64?]
    private var joinedCount = 0
    private var tally = MessageTally()
    private var didEnd: ((BenchResult) -> Void)?

    init(_ options: MessageBenchOptions, loop: EventLoop, didEnd: @escaping (BenchResult) -> Void) {
        self.options = options
        self.loop = loop
        contexts = options.servers.map { BenchContext(loop: loop, server: $0) }
        lastSequences = Array(repeating: nil, count: options.clients)
        self.didEnd = didEnd
    }

    func begin() {
        for _ in 0..<min(Self.connectingAtOnce, options.clients) { connectNext() }
    }

    private var now: Moment { Moment(milliseconds: loop.monotonicMilliseconds) }

    private func connectNext() {
        guard clients.count < options.clients, didEnd != nil else { return }
        let index = clients.count
        do throws(ConnectError) {
            clients.append(
                try MessageClient(
                    index: index, room: index % options.rooms, transport: options.transport,
                    context: contexts[options.server(of: index)],
                    report: { [self] in received($0, by: index) }))
        } catch {
            end("cannot connect: \(error)")
        }
    }

    private func received(_ event: MessageClient.Event, by index: Int) {
        guard didEnd != nil else { return }
        switch event {
        case .joined(let lastSequence): didJoin(index, lastSequence)
        case .message(let sequence, let text):
            guard let last = lastSequences[index], let sentAt = text.split(separator: " ").last.flatMap({ Int64($0) })
            else { return }
            let sender = clients[index % options.rooms]
            tally.receivedMessage(
                sequence, after: last, latency: WallClock.monotonicMicroseconds() - sentAt,
                isFar: clients[index].instance != sender.instance)
            lastSequences[index] = max(last, sequence)
        case .refused: tally.receivedRefusal()
        case .lost(let reason): end("client \(index): \(reason)")
        }
    }

    private func didJoin(_ index: Int, _ lastSequence: Int64) {
        lastSequences[index] = lastSequence
        joinedCount += 1
        guard joinedCount == options.clients else { return connectNext() }
        loop.schedule(after: options.pauseBeforeSending) { [self] in send(from: 0, since: now) }
    }

    /// Sends every message that is due by now, so that a late turn does not lower the rate.
    private func send(from next: Int, since start: Moment) {
        guard didEnd != nil else { return }
        let total = Int(options.length / .seconds(1)) * options.rate
        let due = min(total, Int((now - start).wholeMilliseconds) * options.rate / 1000 + 1)
        for number in next..<max(next, due) {
            let room = number % options.rooms
            clients[room].send("bench \(WallClock.monotonicMicroseconds())")
            tally.didSend(toMembers: options.members(of: room))
        }
        if due < total {
            loop.schedule(after: Self.tick) { [self] in send(from: max(next, due), since: start) }
        } else {
            waitForLastCopies(until: now + Self.drain)
        }
    }

    private func waitForLastCopies(until deadline: Moment) {
        guard tally.missing > 0, now < deadline else { return end(nil) }
        loop.schedule(after: Self.tick * 10) { [self] in waitForLastCopies(until: deadline) }
    }

    private func end(_ failure: String?) {
        guard let didEnd else { return }
        self.didEnd = nil
        for client in clients { client.close() }
        didEnd(
            BenchResult(report: tally.report(options), failure: failure, isClean: failure == nil && tally.isClean))
    }
}
