import ChatDomain
import PersistenceRedis
import RedisLink
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

extension RedisHistoryCache {
    func append(_ messages: [Message], to room: RoomID) { append(messages.map { .message($0) }, to: room) }

    func fill(_ room: RoomID, with messages: [Message]) {
        fill(room, with: messages, upTo: messages.last?.sequence ?? 0)
    }
}

/// A cache over a real Redis, and what it wrote there.
struct CacheUnderTest: Sendable {
    private let redis: RedisUnderTest
    let client: RedisClient
    let cache: RedisHistoryCache
    let registry = MetricsRegistry()
    let drafts = Drafts()

    init(
        _ kind: RedisKind = .server, maximumMessages: Int = 1000, timeToLive: Duration = .seconds(60),
        readTimeout: Duration = .seconds(20), options: RedisOptions = RedisOptions()
    ) async throws {
        let redis = try await RedisUnderTest(kind)
        let client = RedisClient(redis.deployment, options: options)
        try #require(await eventually { client.state == .connected })
        self.redis = redis
        self.client = client
        cache = RedisHistoryCache(
            client: client, maximumMessages: maximumMessages, timeToLive: timeToLive, readTimeout: readTimeout,
            registry: registry)
    }

    var server: RedisServer { redis.server }

    /// Messages numbered from `first` on.
    func messages(_ numbers: ClosedRange<SequenceNumber>, in room: RoomID = "r") -> [Message] {
        numbers.map { Message(drafts.next("text \($0)"), in: room, sequence: $0) }
    }

    /// Deletes a message that is numbered before the change.
    func change(_ sequence: SequenceNumber, of message: SequenceNumber) -> RoomLogEntry {
        let target = Message(drafts.next("x"), in: "r", sequence: message)
        let draft = ChangeDraft(
            id: drafts.next("").id, messageID: target.id, user: RoomUser(userID: "ann", username: "Ann"),
            request: .delete, authority: .anyMessage, timestamp: Timestamp(milliseconds: 1))
        return .change(MessageChange(draft, .deleted, of: target, sequence: sequence))
    }

    /// The entries of the list, after everything written so far.
    func entries(of room: RoomID = "r") async throws -> [[UInt8]] {
        try await client.send(["LRANGE", "chat:history:\(room.value)", 0, -1]).array?.compactMap(\.bytes) ?? []
    }

    func numbers(of room: RoomID = "r") async throws -> [Int] {
        try await entries(of: room).compactMap { entry in
            String(decoding: entry, as: UTF8.self).split(separator: "\"seq\":").last?.prefix { $0.isNumber }
        }.compactMap { Int($0) }
    }

    func page(_ cursor: HistoryQuery.Cursor, limit: Int = 50, base: SequenceNumber = 0, newest: SequenceNumber) async
        -> HistoryPage?
    {
        await cache.history(of: "r", HistoryQuery(cursor, limit: limit, base: base), newest: newest)
    }

    func close() async { await client.close() }
}
