import ChatDomain
import Synchronization

/// Makes drafts with ids of their own, one millisecond apart.
final class Drafts: Sendable {
    private let state = Mutex(
        (ids: MessageIDGenerator(seed: .random(in: .min ... .max)), time: Int64(1_700_000_000_000)))

    func next(
        _ text: String = "hello", by author: String = "ann", client: String? = nil, kind: String = "text",
        metadata: String? = nil, replyTo: String? = nil, username: String? = nil
    ) -> MessageDraft {
        let (id, time) = state.withLock { state in
            state.time += 1
            let time = Timestamp(milliseconds: state.time)
            return (state.ids.next(at: time), time)
        }
        return MessageDraft(
            id: id,
            body: MessageBody(
                author: UserID(unchecked: author), username: username ?? "name of \(author)", text: text, kind: kind,
                clientMessageID: client, metadata: metadata, replyTo: replyTo),
            timestamp: time)
    }

    func many(_ count: Int, by author: String = "ann") -> [MessageDraft] {
        (1...count).map { next("text \($0)", by: author) }
    }
}

extension RoomID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(unchecked: value) }
}
extension UserID: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(unchecked: value) }
}

extension Timestamp {
    static func at(_ milliseconds: Int64) -> Self { .init(milliseconds: milliseconds) }
}

extension Room {
    static func group(_ id: RoomID, at time: Int64 = 1000, name: String? = nil, owner: UserID? = nil) -> Room {
        Room(id: id, kind: .group, isPrivate: false, name: name, owner: owner, createdAt: .at(time))
    }
}

extension DurableStore {
    func commit(_ writes: [RoomWrite]) async -> [RoomWriteOutcome] {
        await withCheckedContinuation { continuation in
            commit(writes) { continuation.resume(returning: $0) }
        }
    }

    /// Stores drafts of one room.
    @discardableResult
    func append(_ drafts: [MessageDraft], to room: RoomID, lastKnown: SequenceNumber = 0) async -> [RoomWriteOutcome
        .Draft]
    {
        let outcomes = await commit([RoomWrite(roomID: room, lastKnown: lastKnown, messages: drafts)])
        return outcomes.first?.drafts ?? []
    }

    /// What `mark_read` does, for one user.
    func mark(_ user: UserID, _ sequence: SequenceNumber, in room: RoomID) async throws -> Bool {
        let mark = ReadMark(userID: user, sequence: sequence)
        let outcomes = await commit([RoomWrite(roomID: room, lastKnown: 0, readMarks: [mark])])
        return try outcomes[0].readMarks[0].get()
    }

    /// The numbers a query answers with.
    func numbers(of room: RoomID, _ query: HistoryQuery) async throws -> [SequenceNumber] {
        try await history(of: room, query).messages.map(\.sequence)
    }
}

extension RoomWriteOutcome.Draft {
    var storedSequence: SequenceNumber? {
        if case .stored(let sequence) = self { sequence } else { nil }
    }

    var isUnavailable: Bool { if case .failed(.unavailable) = self { true } else { false } }
}

extension StoreError {
    var unavailableReason: String? { if case .unavailable(let reason) = self { reason } else { nil } }
    var rejectedReason: String? { if case .rejected(let reason) = self { reason } else { nil } }
}

/// Thrown by a test that cannot continue.
struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
