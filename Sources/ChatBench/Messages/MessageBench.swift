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
    /// How long a client of a closed loop waits after a refusal.
    private static let pauseAfterRefusal: Duration = .milliseconds(100)

    private let options: MessageBenchOptions
    private let loop: EventLoop
    private let contexts: [BenchContext]
    private var clients: [MessageClient] = []
    /// The highest sequence number each client received; nil until it has joined.
    private var lastSequences: [Int64?]
    private var joinedCount = 0
    private var tally = MessageTally()
    /// When the clients of a closed loop send no more; nil before they begin, and at a given rate.
    private var lastSend: Moment?
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
            guard let last = lastSequences[index], let stamp = Stamp(text), clients.indices.contains(stamp.sender)
            else { return }
            tally.receivedMessage(
                sequence, after: last, latency: WallClock.monotonicMicroseconds() - stamp.sentAt,
                isFar: clients[index].instance != clients[stamp.sender].instance)
            lastSequences[index] = max(last, sequence)
            if stamp.sender == index, sequence > last { sendNext(by: index) }
        case .refused:
            tally.receivedRefusal()
            loop.schedule(after: Self.pauseAfterRefusal) { [self] in sendNext(by: index) }
        case .lost(let reason): end("client \(index): \(reason)")
        }
    }

    private func didJoin(_ index: Int, _ lastSequence: Int64) {
        lastSequences[index] = lastSequence
        joinedCount += 1
        guard joinedCount == options.clients else { return connectNext() }
        loop.schedule(after: options.pauseBeforeSending) { [self] in beginSending() }
    }

    private func beginSending() {
        switch options.pace {
        case .rate(let rate): send(from: 0, at: rate, since: now)
        case .closedLoop:
            lastSend = now + options.length
            for index in clients.indices { sendNext(by: index) }
            loop.schedule(after: options.length) { [self] in waitForLastCopies(until: now + Self.drain) }
        }
    }

    /// Has a client send again, in a closed loop that has not ended.
    private func sendNext(by index: Int) {
        guard let lastSend, now < lastSend, didEnd != nil else { return }
        send(by: index)
    }

    private func send(by index: Int) {
        clients[index].send(Stamp(sender: index, sentAt: WallClock.monotonicMicroseconds()).text)
        tally.didSend(toMembers: options.members(of: index % options.rooms))
    }

    /// Sends every message that is due by now, so that a late turn does not lower the rate.
    private func send(from next: Int, at rate: Int, since start: Moment) {
        guard didEnd != nil else { return }
        let total = Int(options.length / .seconds(1)) * rate
        let due = min(total, Int((now - start).wholeMilliseconds) * rate / 1000 + 1)
        for number in next..<max(next, due) { send(by: number % options.rooms) }
        if due < total {
            loop.schedule(after: Self.tick) { [self] in send(from: max(next, due), at: rate, since: start) }
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

/// What a message says: the client that sent it, and when.
struct Stamp {
    var sender: Int
    /// By the monotonic clock, in microseconds.
    var sentAt: Int64

    var text: String { "bench \(sender) \(sentAt)" }
}

extension Stamp {
    /// nil for a text of another origin.
    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let sender = Int(parts[1]), let sentAt = Int64(parts[2]) else { return nil }
        self.init(sender: sender, sentAt: sentAt)
    }
}
