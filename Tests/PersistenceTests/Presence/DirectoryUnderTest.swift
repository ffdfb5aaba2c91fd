import ChatDomain
import PersistenceInProcess
@testable import PersistenceRedis
import RedisLink
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

/// The implementations one suite runs over.
enum DirectoryKind: CaseIterable, Sendable {
    case inProcess, redis, cluster
}

extension DeploymentID {
    static let test = Self(redisDatabase: 0, store: "test")
    static let other = Self(redisDatabase: 1, store: "test")
}

/// A directory, and the events it delivered.
struct DirectoryUnderTest {
    let directory: any SessionDirectory
    let instance: InstanceID
    let events = CallbackLog<DirectoryEvent>()
    private let server: RedisUnderTest?
    let client: RedisClient?
    private let sharesServer: Bool

    /// - Parameter other: another instance, whose Redis this one shares.
    init(
        _ kind: DirectoryKind, maximumSessions: Int = 0, instance name: String = "i1",
        of deployment: DeploymentID = .test,
        beside other: Self? = nil
    ) async throws {
        let instance = InstanceID(name)
        self.instance = instance
        sharesServer = other != nil
        switch kind {
        case .inProcess:
            (server, client) = (nil, nil)
            directory = InProcessDirectory(instance: instance, maximumSessions: maximumSessions)
        case .redis, .cluster:
            let server =
                if let shared = other?.server { shared } else {
                    try await RedisUnderTest(kind == .cluster ? .cluster : .server)
                }
            let client = RedisClient(server.deployment)
            (self.server, self.client) = (server, client)
            directory = RedisDirectory(
                instance: instance, deployment: deployment, client: client, grace: .seconds(5),
                maximumSessions: maximumSessions,
                clock: {
                    Now(
                        wall: Timestamp(milliseconds: WallClock.milliseconds()),
                        monotonic: Moment(milliseconds: WallClock.monotonicMilliseconds()))
                }, logger: .disabled)
        }
        directory.start { [events] in events.add($0) }
        if let directory = directory as? RedisDirectory { #expect(await directory.becomesReady(events)) }
    }

    func connect(_ record: SessionRecord) async -> [SessionID] {
        await withCheckedContinuation { continuation in
            directory.connect(record) { continuation.resume(returning: $0.map(\.id)) }
        }
    }

    /// The news of a user that was delivered, as a change or in passing, the newest last.
    func changes(_ user: UserID) -> [UserPresence] {
        events.entries.compactMap { event in
            switch event {
            case .changed(let news, _), .passed(let news): news.presence.user.userID == user ? news.presence : nil
            default: nil
            }
        }
    }

    /// A command of another program.
    func perform(_ command: RedisCommand) async throws { _ = try await client?.send(command) }

    func killServer() { server?.kill() }
    func ask(_ command: RedisCommand) async throws -> RedisValue? { try await client?.send(command) }

    var space: KeySpace? { client.map { KeySpace(of: $0) } }

    func close() async {
        await directory.close()
        await client?.close()
        if !sharesServer { server?.kill() }
    }
}

extension RedisDirectory {
    /// Waits until this instance is registered, as Redis is asked for the number of users then, and subscribed: news before that are missed.
    ///
    /// - Parameter events: what it delivered.
    func becomesReady(_ events: CallbackLog<DirectoryEvent>) async -> Bool {
        await eventually { !events.counts.isEmpty && subscription == .connected }
    }
}

extension CallbackLog<DirectoryEvent> {
    /// How many users are online, as was delivered.
    var counts: [Int] { entries.compactMap { if case .counted(let online) = $0 { online } else { nil } } }
    /// What an instance's board makes of what was delivered.
    var board: PresenceBoard { entries.reduce(into: PresenceBoard()) { $0.take($1) } }
}

func record(
    _ id: String, of user: String = "alice", at milliseconds: Int64 = 0, on instance: String = "i1"
) -> SessionRecord {
    SessionRecord(
        id: SessionID(id), instance: InstanceID(instance),
        user: RoomUser(userID: UserID(unchecked: user), username: user), userAgent: "test/1",
        connectedAt: Timestamp(milliseconds: milliseconds))
}

func presence(of user: UserID, _ status: PresenceStatus, sessions: Int = 1, seen: Int64 = 1) -> UserPresence {
    UserPresence(
        user: RoomUser(userID: user, username: user.value), actualStatus: status,
        lastSeen: Timestamp(milliseconds: seen), sessions: sessions)
}
