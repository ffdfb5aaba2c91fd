// Links everything.
import ChatDomain
import ChatProtocol
import JSON

@testable import Gateway
@testable import MessagingRedis

/// What other instances publish comes through Redis, where every client may publish. Each line of the input is one publication
/// in a room, and a message to this instance as well.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzInstanceNews(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (seed, bytes) = seedAndBytes(start, count) else { return 0 }
    var fleet = Listener(newest: SequenceNumber(seed))
    for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(16) { fleet.hear(Array(line)) }
    return 0
}

private struct Listener {
    private static let id = RoomID(unchecked: "r")

    private let parser = JSONParser()
    private var room: LiveRoom
    private var now = Moment(milliseconds: 0)

    init(newest: SequenceNumber) {
        let room = Room(id: Self.id, kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0))
        self.room = LiveRoom(
            RoomSnapshot(room: room, participants: [], lastSequence: newest), limits: RoomLimits())
        let user = RoomUser(userID: UserID(unchecked: "u"), username: "U")
        _ = self.room.join(user, session: SessionAddress(shard: 0, slot: 0, generation: 0), at: now)
    }

    mutating func hear(_ bytes: [UInt8]) {
        if let envelope = RoomBusEnvelope(bytes) {
            precondition(envelope.payload.count < bytes.count && !envelope.publisher.value.isEmpty)
        }
        if let message = InstanceMessage(decoding: bytes) {
            precondition(InstanceMessage(decoding: message.encoded) == message, "not read as it is written")
            if case .roomChanged(_, .revised(let revision, let time), _) = message {
                _ = room.revise(revision, at: time)
            }
            if case .roomChanged(_, .standing(let change), _) = message { _ = room.apply(.standing(change)) }
        }
        let news = bytes.withUnsafeBytes { bytes in
            (try? parser.parse(bytes)).flatMap { RoomNewsCodec.decode($0, in: Self.id) }
        }
        guard let (instance, news) = news else { return }
        let again = RoomNewsCodec.encode(news, from: instance, in: Self.id).withUnsafeBytes { bytes in
            (try? parser.parse(bytes)).flatMap { RoomNewsCodec.decode($0, in: Self.id) }
        }
        precondition(again?.1 == news, "news are not read as they are written")
        if case .message(let message) = news { use(message) }
        _ = room.heard(news, from: instance, at: now)
        now = now + 200
        _ = room.tick(at: now)
        look()
    }

    /// As an instance that delivers it, keeps it for later joins, and measures how long it took.
    private func use(_ message: Message) {
        _ = (message.timestamp.iso8601, message.offset.text, EventJSON.messages([message]))
        _ = Timestamp(milliseconds: 0).milliseconds - message.timestamp.milliseconds
    }

    private mutating func look() {
        for since in [nil, 0, room.lastSequence, room.lastSequence - 1] {
            let wish = HistoryRequest(since: since)
            guard case .read(let query) = room.view(wish) else { continue }
            let page = HistoryPage(messages: [], hasMoreBefore: false, hasMoreAfter: false)
            _ = room.view(wish, page: page, answering: query)
        }
    }
}
