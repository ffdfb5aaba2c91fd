// Links everything.
import ChatDomain
import JSON
import ChatProtocol

@testable import PersistenceRedis
@testable import RedisLink

/// Data from Redis may be anything, and decoded values must be usable. The first byte selects the decoder of the others.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRedisData(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (kind, bytes) = seedAndBytes(start, count) else { return 0 }
    let user = UserID(unchecked: "u")
    switch kind % 7 {
    case 0:
        guard let (record, order) = PresenceCodec.record(SessionID("s"), of: user, bytes) else { break }
        use(record.connectedAt, record.lastActiveAt)
        precondition(order &- 1 < order || order == .min)
        precondition(PresenceCodec.record(SessionID("s"), of: user, PresenceCodec.encode(record))?.record == record)
    case 1: PresenceCodec.standing(of: user, bytes).map(use)
    case 2: if case .changed(let presence, _) = PresenceCodec.news(bytes) { use(presence) }
    case 3: RecoveryCodec.decode(bytes).map(use)
    case 4: useMessage(bytes)
    case 5: useReplies(pieces(of: bytes, seed: kind))
    default: useRange(bytes)
    }
    return 0
}

private func use(_ times: Timestamp...) {
    for time in times { precondition(Timestamp(iso8601: time.iso8601) == time, "a time is not read as it is written") }
}

private func use(_ presence: UserPresence) {
    use(presence.lastSeen)
    var board = PresenceBoard()
    _ = board.apply(presence)
    _ = board.replace(with: [presence], isComplete: true, at: Timestamp(milliseconds: 0))
    precondition(board.online().count == board.onlineCount)
}

private func use(_ session: RecoverableSession) {
    _ = RecoveryCodec.encode(session)
    for sent in session.sent {
        for number in [sent.numbers.lowerBound, sent.numbers.upperBound] {
            let offset = MessageOffset(room: sent.room, number: number)
            _ = session.seen(upTo: offset)
            _ = session.sent(upTo: offset)
            precondition(MessageOffset(offset.text) == offset, "an offset is not read as it is written")
        }
    }
}

private func useMessage(_ bytes: [UInt8]) {
    let message = bytes.withUnsafeBytes { bytes in
        (try? JSONParser().parse(bytes)).flatMap { MessageJSON.decode($0, in: RoomID(unchecked: "r")) }
    }
    guard let message else { return }
    use(message.timestamp)
    let again = MessageJSON.encode(message).withUnsafeBytes { bytes in
        (try? JSONParser().parse(bytes)).flatMap { MessageJSON.decode($0, in: message.roomID) }
    }
    precondition(again == message, "a message is not read as it is written")
}

private func useReplies(_ pieces: [ArraySlice<UInt8>]) {
    let reader = ReplyReader(maximumBytes: 4096)
    var sentinels = SentinelReports(
        RedisSentinels(sentinels: [RedisAddress(host: "s", port: 26_379)], primaryName: "m"))
    do {
        for piece in pieces {
            try piece.withUnsafeBytes { try reader.feed($0) }
            while let value = try reader.next() {
                _ = (value.integer, value.text, value.array?.count)
                sentinels.received(SentinelReport(address: .success(value), details: .success(value)), from: 0)
                _ = sentinels.status
                _ = DerivedKeys(value).map { ($0.revisions.count, $0.commands.count) }
                useCluster(value)
            }
        }
    } catch {}
}

private func useCluster(_ value: RedisValue) {
    let node = RedisAddress(host: "h", port: 1)
    if let map = SlotMap(value, from: node) {
        precondition(map.nodes.count <= SlotMap.maximumNodes, "a map beyond its bounds")
        _ = map.ranges { $0 == nil }
    }
    if case .error(let code, let message) = value { _ = Redirection(code: code, message: message, from: node) }
}

/// Takes the bytes for a cursor, a base and a newest number.
private func useRange(_ bytes: [UInt8]) {
    let numbers = stride(from: 0, to: min(bytes.count, 24), by: 8).map { start in
        bytes[start...].prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }
    }
    guard numbers.count == 3 else { return }
    let limit = Int(truncatingIfNeeded: numbers[0] >> 16)
    for cursor in [HistoryQuery.Cursor.latest, .before(numbers[0]), .after(numbers[0]), .around(numbers[0])] {
        let range = HistoryRange(HistoryQuery(cursor, limit: limit, base: numbers[1]), newest: numbers[2])
        precondition(range.isEmpty || range.first > 0 && range.last - range.first < 1000, "a page beyond its bounds")
    }
}
