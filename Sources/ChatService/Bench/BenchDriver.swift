import EventLoop
import Telemetry

/// Connects the clients, sends at the rate asked for, and keeps the tally. Confined to its loop; it lives until it has ended.
final class BenchDriver {
    private static let connectsAtOnce = 64
    /// How long the last copies may take, in milliseconds.
    private static let drain: Int64 = 5000
    private static let tick: Int64 = 2

    private let options: BenchOptions
    private let loop: EventLoop
    private let contexts: [BenchContext]
    private var clients: [BenchClient] = []
    private var ready: Set<Int> = []
    private var tally = BenchTally()
    private var ended: ((BenchOutcome) -> Void)?

    init(
        _ options: BenchOptions, addresses: [IPAddress], loop: EventLoop, ended: @escaping (BenchOutcome) -> Void
    ) {
        self.options = options
        self.loop = loop
        contexts = zip(options.servers, addresses).map { server, address in
            BenchContext(loop: loop, address: address, port: server.port, host: server.host)
        }
        self.ended = ended
    }

    func begin() {
        for _ in 0..<min(Self.connectsAtOnce, options.clients) { connectNext() }
    }

    private func connectNext() {
        guard clients.count < options.clients, ended != nil else { return }
        let index = clients.count
        do throws(ConnectError) {
            clients.append(
                try BenchClient(
                    index: index, room: index % options.rooms, transport: options.transport,
                    context: contexts[options.server(of: index)],
                    report: { [self] in heard($0, by: index) }))
        } catch {
            end("cannot connect: \(error)")
        }
    }

    private func heard(_ event: BenchClient.Event, by index: Int) {
        guard ended != nil else { return }
        let client = clients[index]
        switch event {
        case .ready:
            guard ready.insert(index).inserted else { return }
            if ready.count == options.clients {
                loop.schedule(after: Int64(options.settleSeconds) * 1000) { [self] in
                    send(from: 0, since: loop.monotonicMilliseconds)
                }
            } else {
                connectNext()
            }
        case .message(let sequence, let text):
            guard let sentAt = text.split(separator: " ").last.flatMap({ Int64($0) }) else { return }
            let sender = clients[index % options.rooms]
            tally.noteDelivery(
                sequence, after: client.lastSequence, microseconds: WallClock.monotonicMicroseconds() - sentAt,
                isFar: client.instance != sender.instance)
            client.lastSequence = max(client.lastSequence, sequence)
        case .refused: tally.noteRefused()
        case .lost(let reason): end("client \(index): \(reason)")
        }
    }

    /// Sends what is due by now, so that a late turn does not lower the rate.
    private func send(from next: Int, since begun: Int64) {
        guard ended != nil else { return }
        let total = options.rate * options.seconds
        let due = min(total, Int(loop.monotonicMilliseconds - begun) * options.rate / 1000 + 1)
        for number in next..<max(next, due) {
            let room = number % options.rooms
            clients[room].send("bench \(WallClock.monotonicMicroseconds())")
            tally.noteSent(to: members(of: room))
        }
        if due < total {
            loop.schedule(after: Self.tick) { [self] in send(from: max(next, due), since: begun) }
        } else {
            waitForTheLast(until: loop.monotonicMilliseconds + Self.drain)
        }
    }

    private func members(of room: Int) -> Int {
        options.clients / options.rooms + (room < options.clients % options.rooms ? 1 : 0)
    }

    private func waitForTheLast(until deadline: Int64) {
        guard tally.missing > 0, loop.monotonicMilliseconds < deadline else { return end(nil) }
        loop.schedule(after: 10 * Self.tick) { [self] in waitForTheLast(until: deadline) }
    }

    private func end(_ trouble: String?) {
        let ended = ended
        self.ended = nil
        for client in clients { client.close() }
        ended?(BenchOutcome(tally: tally, trouble: trouble))
    }
}
