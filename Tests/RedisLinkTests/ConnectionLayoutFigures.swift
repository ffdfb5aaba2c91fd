import EventLoop
import Foundation
import RedisLink
import RedisTestSupport
import Synchronization
import TestSupport
import Testing

/// What publishing and hearing a message costs with one pair of connections for the process, and with one on each loop.
/// Run it in release, by itself:
///
///     REDIS_FIGURES=1 swift test -c release -Xswiftc -enable-testing --filter ConnectionLayoutFigures
@Suite(.enabled(if: ProcessInfo.processInfo.environment["REDIS_FIGURES"] != nil), .serialized)
struct ConnectionLayoutFigures {
    enum Layout: String, CaseIterable {
        case ownThreads = "one pair, a thread each"
        case oneThread = "one pair, one thread"
        case perLoop = "a pair on each loop"
    }

    private static let shards = 2
    private static let rooms = 1000
    private static let messages = 60_000
    private static let payload = [UInt8](repeating: 120, count: 200)

    @Test func costOfAMessage() async throws {
        let server = try await RedisServer()
        let endpoint = RedisEndpoint(host: "127.0.0.1", port: server.port)
        let loops = (0..<Self.shards).map { EventLoop(name: "shard-\($0)") }
        let extra = EventLoop(name: "redis")
        for loop in loops + [extra] { loop.start() }
        for batch in [1, 16] {
            var costs: [Layout: [(own: Double, redis: Double, rate: Double)]] = [:]
            for _ in 1...5 {
                for layout in Layout.allCases {
                    let setup = Setup(layout, endpoint, loops, extra)
                    try await setup.open(rooms: Self.rooms)
                    costs[layout, default: []].append(try await setup.run(Self.messages, batch: batch))
                    await setup.close()
                }
            }
            for layout in Layout.allCases {
                let runs = costs[layout, default: []]
                func median(_ value: (((own: Double, redis: Double, rate: Double))) -> Double) -> Int {
                    Int(runs.map(value).sorted()[runs.count / 2])
                }
                print(
                    "batches of \(batch), \(layout.rawValue): \(median { $0.own * 100 }) hundredths of a µs of CPU here,",
                    "\(median { $0.redis * 100 }) in Redis, \(median { $0.rate }) messages/s")
            }
        }
        for loop in loops + [extra] { loop.stop() }
    }

    /// One process's connections and the messages its shards received.
    private final class Setup: Sendable {
        private let loops: [EventLoop]
        private let clients: [RedisClient]
        private let subscribers: [RedisSubscriber]
        private let heard = Heard()

        init(_ layout: Layout, _ endpoint: RedisEndpoint, _ loops: [EventLoop], _ extra: EventLoop) {
            self.loops = loops
            let homes: [EventLoop?] =
                switch layout {
                case .ownThreads: [nil]
                case .oneThread: [extra]
                case .perLoop: loops
                }
            clients = homes.map { RedisClient(endpoint, on: $0) }
            subscribers = homes.map { [heard] home in
                RedisSubscriber(endpoint, on: home) { event in
                    guard case .message(let channel, _) = event else { return }
                    let shard = Setup.shard(of: channel)
                    // On the room's own loop it is there; from another thread it has to be brought.
                    if layout == .perLoop { heard.add() } else { loops[shard].post { heard.add() } }
                }
            }
        }

        func open(rooms: Int) async throws {
            for room in 0..<rooms {
                subscribers[room % subscribers.count].subscribe([Self.channel(room)])
            }
            let admin = clients[0]
            try #require(await eventually { self.clients.allSatisfy { $0.state == .connected } })
            try #require(
                try await eventually {
                    try await admin.send(["PUBSUB", "CHANNELS"]).array?.count == rooms
                })
        }

        func run(_ messages: Int, batch: Int) async throws -> (own: Double, redis: Double, rate: Double) {
            let (own, redis, start) = (Self.ownCPU(), try await redisCPU(), ContinuousClock.now)
            // Eight batches of each shard are under way at any time.
            let rounds = messages / batch / loops.count / 8
            for (shard, loop) in loops.enumerated() {
                for _ in 1...8 { loop.post { self.publish(batch, on: shard, rounds: rounds) } }
            }
            let messages = rounds * batch * loops.count * 8
            try #require(await eventually(within: .seconds(60)) { self.heard.count >= messages })
            let seconds = Double((ContinuousClock.now - start) / .milliseconds(1)) / 1000
            return (
                (Self.ownCPU() - own) / Double(messages), (try await redisCPU() - redis) / Double(messages),
                Double(messages) / seconds
            )
        }

        func close() async {
            for client in clients { await client.close() }
            for subscriber in subscribers { await subscriber.close() }
        }

        private func publish(_ batch: Int, on shard: Int, rounds: Int) {
            guard rounds > 0 else { return }
            let commands = (0..<batch).map { index -> RedisCommand in
                let room = (rounds * batch + index) * loops.count % ConnectionLayoutFigures.rooms + shard
                return ["PUBLISH", RedisArgument(Self.channel(room)), RedisArgument(ConnectionLayoutFigures.payload)]
            }
            clients[shard % clients.count].perform(commands) { [self] _ in
                if loops[shard].isCurrent { return publish(batch, on: shard, rounds: rounds - 1) }
                loops[shard].post { self.publish(batch, on: shard, rounds: rounds - 1) }
            }
        }

        private func redisCPU() async throws -> Double {
            let text = try await clients[0].send(["INFO", "cpu"]).text ?? ""
            return text.split(whereSeparator: \.isNewline)
                .filter { $0.hasPrefix("used_cpu_sys:") || $0.hasPrefix("used_cpu_user:") }
                .compactMap { Double($0.drop { $0 != ":" }.dropFirst()) }.reduce(0, +) * 1_000_000
        }

        private static func ownCPU() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) * 1_000_000 + Double(time.tv_nsec) / 1000
        }

        private static func channel(_ room: Int) -> [UInt8] { Array("chat:room:\(room)".utf8) }
        private static func shard(of channel: [UInt8]) -> Int {
            Int(channel.last ?? 0) % ConnectionLayoutFigures.shards
        }
    }

    private final class Heard: Sendable {
        private let total = Atomic<Int>(0)
        var count: Int { total.load(ordering: .relaxed) }
        func add() { total.wrappingAdd(1, ordering: .relaxed) }
    }
}
