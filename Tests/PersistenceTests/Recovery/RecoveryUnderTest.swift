import ChatDomain
import PersistenceInProcess
import PersistenceRedis
import RedisLink
import RedisTestSupport
import Telemetry

/// The implementations one suite runs over.
enum RecoveryKind: CaseIterable, Sendable {
    case inProcess, redis
}

/// A store of broken-off sessions; over Redis as two instances see it.
struct RecoveryUnderTest {
    let store: any RecoveryStore
    /// The same sessions; where there is a Redis, through another instance.
    let other: any RecoveryStore
    let server: RedisServer?
    private let clients: [RedisClient]

    init(_ kind: RecoveryKind, capacity: Int = 100) async throws {
        switch kind {
        case .inProcess:
            (server, clients) = (nil, [])
            store = InProcessRecovery(capacity: capacity, clock: WallClock.monotonicMilliseconds)
            other = store
        case .redis:
            let server = try await RedisServer()
            let endpoint = RedisEndpoint(host: "127.0.0.1", port: server.port)
            let clients = [RedisClient(endpoint), RedisClient(endpoint)]
            for client in clients { _ = await eventually { client.state == .connected } }
            (self.server, self.clients) = (server, clients)
            store = RedisRecovery(client: clients[0], capacity: capacity, logger: .disabled)
            other = RedisRecovery(client: clients[1], capacity: capacity, logger: .disabled)
        }
    }

    /// Commands of Redis's own.
    func ask(_ command: [RedisArgument]) async throws -> RedisValue? { try await clients.last?.send(command) }

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
