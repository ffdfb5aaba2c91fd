import ChatDomain
import PersistenceInProcess
@testable import PersistenceRedis
import RedisLink
import RedisTestSupport
import Synchronization
import Telemetry
import TestSupport
import Testing

/// The implementations one suite runs over.
enum RecoveryKind: CaseIterable, Sendable {
    case inProcess, redis, cluster
}

/// A store of broken-off sessions; over Redis as two instances see it.
struct RecoveryUnderTest {
    let store: any RecoveryStore
    /// The same sessions; where there is a Redis, through another instance.
    let other: any RecoveryStore
    let server: RedisUnderTest?
    private let clock = ManualMoment()
    private let clients: [RedisClient]

    init(_ kind: RecoveryKind, capacity: Int = 100) async throws {
        switch kind {
        case .inProcess:
            (server, clients) = (nil, [])
            store = InProcessRecovery(capacity: capacity, clock: { [clock] in clock.now })
            other = store
        case .redis, .cluster:
            let server = try await RedisUnderTest(kind == .cluster ? .cluster : .server)
            let clients = [RedisClient(server.deployment), RedisClient(server.deployment)]
            for client in clients { _ = await eventually { client.state == .connected } }
            (self.server, self.clients) = (server, clients)
            // In a cluster each of its spaces has its part of the capacity.
            let capacity = capacity * KeySpace.recovery(of: clients[0]).count
            store = RedisRecovery(client: clients[0], capacity: capacity, logger: .disabled)
            other = RedisRecovery(client: clients[1], capacity: capacity, logger: .disabled)
        }
    }

    /// A command of another program.
    func ask(_ command: [RedisArgument]) async throws -> RedisValue? { try await clients.last?.send(command) }

    /// Waits until what is kept under a key has expired; in process the clock is set forward by `span`.
    func expire(_ key: String, after span: Duration) async throws {
        clock.advance(by: span)
        guard server != nil else { return }
        let isGone = try await eventually {
            try await ask(["KEYS", RedisArgument("*:recovery:\(key)")])?.array?.isEmpty == true
        }
        #expect(isGone)
    }

    /// Waits until Redis's clock, by which it orders sessions, shows another millisecond.
    func waitForClock() async throws {
        guard server != nil else { return }
        func milliseconds() async throws -> Int64? {
            let time = try await ask(["TIME"])?.array
            guard let seconds = time?.first?.integer, let microseconds = time?.last?.integer else { return nil }
            return seconds * 1000 + microseconds / 1000
        }
        let start = try await milliseconds()
        let hasMoved = try await eventually { try await milliseconds() != start }
        #expect(hasMoved)
    }

    func close() async {
        for client in clients { await client.close() }
        server?.kill()
    }

    static func session(_ user: String = "ada", rooms: [String: SequenceNumber] = ["r": 7]) -> RecoverableSession {
        RecoverableSession(
            id: SessionID("i1-0-abc"), user: RoomUser(userID: UserID(unchecked: user), username: "A\"da\n🙂"),
            profile: Profile(name: "Ada L", email: "a@example.org"), isVerified: true, isUsernameVerified: false,
            tokenExpiresAt: Timestamp(milliseconds: 1_900_000_000_123),
            newest: Dictionary(uniqueKeysWithValues: rooms.map { (RoomID(unchecked: $0), $1) }),
            sent: rooms.sorted { $0.key < $1.key }.map { .init(room: RoomID(unchecked: $0), numbers: $1...$1 + 2) })
    }
}

/// A clock that moves only by `advance`.
private final class ManualMoment: Sendable {
    private let moment = Mutex(Moment(milliseconds: 0))

    var now: Moment { moment.withLock { $0 } }
    func advance(by span: Duration) { moment.withLock { $0 = $0 + span } }
}
