import ChatDomain
import Synchronization

/// A store in memory that fails, waits or answers as a test tells it to.
package final class FakeStore: DurableStore {
    package enum Behaviour: Sendable {
        case works
        case fails
        /// Nothing is answered until `release`.
        case holds
    }

    private struct Kept {
        var room: Room
        var participants: Set<UserID>
        var messages: [Message] = []
    }

    private struct State {
        var commits = Behaviour.works
        var reads = Behaviour.works
        var rooms: [RoomID: Kept] = [:]
        var bases: [RoomID: SequenceNumber] = [:]
        var held: [@Sendable () -> Void] = []
        var heldReads: [CheckedContinuation<Void, Never>] = []
        var commitSizes: [Int] = []
        var historyReads = 0
    }

    private let state = Mutex(State())

    package init() {}

    // MARK: What tests say and see

    package func setCommits(_ behaviour: Behaviour) { state.withLock { $0.commits = behaviour } }
    package func setReads(_ behaviour: Behaviour) { state.withLock { $0.reads = behaviour } }

    package var heldCommits: Int { state.withLock { $0.held.count } }
    package var heldReads: Int { state.withLock { $0.heldReads.count } }
    package var commitSizes: [Int] { state.withLock { $0.commitSizes } }
    package var historyReads: Int { state.withLock { $0.historyReads } }
    package func messages(in room: RoomID) -> [String] {
        state.withLock { $0.rooms[room]?.messages.map(\.body.text) ?? [] }
    }

    package func participants(of room: String) -> Set<String> {
        state.withLock { Set(($0.rooms[RoomID(unchecked: room)]?.participants ?? []).map(\.value)) }
    }

    /// Does what was held back, in order.
    package func release() {
        let (commits, reads) = state.withLock { state in
            defer { (state.held, state.heldReads) = ([], []) }
            return (state.held, state.heldReads)
        }
        for commit in commits { commit() }
        for read in reads { read.resume() }
    }

    /// Puts messages into a room, as another instance would.
    package func fill(_ room: RoomID, count: Int) {
        state.withLock { state in
            var kept =
                state.rooms[room]
                ?? Kept(
                    room: Room(id: room, kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0)),
                    participants: [])
            for _ in 0..<count {
                let sequence = SequenceNumber(kept.messages.count + 1)
                kept.messages.append(
                    Message(
                        id: MessageID(high: 1, low: UInt32(sequence)), sequence: sequence, roomID: room,
                        body: MessageBody(author: UserID(unchecked: "old"), username: "Old", text: "old \(sequence)"),
                        timestamp: Timestamp(milliseconds: sequence)))
            }
            state.rooms[room] = kept
        }
    }

    /// Forgets messages it had acknowledged.
    package func lose(_ room: RoomID, keeping count: Int) {
        state.withLock { state in
            guard let kept = state.rooms[room]?.messages.prefix(count) else { return }
            state.rooms[room]?.messages = Array(kept)
        }
    }

    // MARK: Messages

    package func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        let behaviour = state.withLock { state in
            state.commitSizes.append(writes.reduce(0) { $0 + $1.drafts.count })
            return state.commits
        }
        switch behaviour {
        case .works: completion(writes.map(store))
        case .fails: completion(writes.map { .failure(of: $0, .unavailable(reason: "told to fail")) })
        case .holds:
            state.withLock { $0.held.append { [self] in completion(writes.map(store)) } }
        }
    }

    private func store(_ write: RoomWrite) -> RoomWriteOutcome {
        state.withLock { state in
            // A room that was deleted meanwhile keeps what was on its way, unreachable.
            guard var kept = state.rooms[write.roomID] else {
                return .failure(of: write, .rejected(reason: "no such room"))
            }
            defer { state.rooms[write.roomID] = kept }
            kept.participants.formUnion(write.newParticipants)
            let drafts: [RoomWriteOutcome.Draft] = write.drafts.map { draft in
                if let clientID = draft.body.clientMessageID,
                    let known = kept.messages.first(where: {
                        $0.body.author == draft.body.author && $0.body.clientMessageID == clientID
                    })
                {
                    return known.body.saysTheSame(as: draft.body)
                        ? .duplicate(id: known.id, sequence: known.sequence, timestamp: known.timestamp) : .conflict
                }
                let sequence = SequenceNumber(kept.messages.count + 1)
                kept.messages.append(Message(draft, in: write.roomID, sequence: sequence))
                return .stored(sequence)
            }
            return RoomWriteOutcome(
                roomID: write.roomID, drafts: drafts, readMarks: write.readMarks.map { _ in .success(true) })
        }
    }

    private func beforeReading() async throws(StoreError) {
        switch state.withLock({ $0.reads }) {
        case .works: break
        case .fails: throw .unavailable(reason: "told to fail")
        case .holds: await withCheckedContinuation { waiting in state.withLock { $0.heldReads.append(waiting) } }
        }
    }

    package func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        state.withLock { $0.historyReads += 1 }
        try await beforeReading()
        let all = state.withLock { $0.rooms[room]?.messages.filter { $0.sequence > query.base } ?? [] }
        let found: [Message] =
            switch query.cursor {
            case .latest, .around: all.suffix(query.limit)
            case .before(let sequence): all.filter { $0.sequence < sequence }.suffix(query.limit)
            case .after(let sequence): Array(all.filter { $0.sequence > sequence }.prefix(query.limit))
            }
        var page = HistoryPage(messages: found, hasMoreBefore: false, hasMoreAfter: false)
        var budget = PageBudget()
        if case .after = query.cursor {
            page.messages = Array(found.prefix { budget.takes($0.encodedBytes) })
        } else {
            page.messages = found.reversed().prefix { budget.takes($0.encodedBytes) }.reversed()
        }
        page.isFull = budget.isSpent
        page.hasMoreBefore = page.messages.first.map { $0.sequence > (all.first?.sequence ?? 0) } ?? false
        page.hasMoreAfter = page.messages.last.map { $0.sequence < (all.last?.sequence ?? 0) } ?? false
        return page
    }

    package func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await beforeReading()
        return state.withLock { state in
            Dictionary(
                uniqueKeysWithValues: rooms.compactMap { id in state.rooms[id]?.messages.last.map { (id, $0.sequence) }
                })
        }
    }

    // MARK: Rooms

    package func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot? {
        try await beforeReading()
        return state.withLock { $0.rooms[id].map(Self.snapshot) }
    }

    private static func snapshot(_ kept: Kept) -> RoomSnapshot {
        RoomSnapshot(room: kept.room, participants: kept.participants, lastSequence: kept.messages.last?.sequence ?? 0)
    }

    package func create(_ room: Room, participants: [UserID]) async throws(StoreError) -> (
        snapshot: RoomSnapshot, created: Bool
    ) {
        try await beforeReading()
        return state.withLock { state in
            if let kept = state.rooms[room.id] { return (Self.snapshot(kept), false) }
            let kept = Kept(room: room, participants: Set(participants))
            state.rooms[room.id] = kept
            return (Self.snapshot(kept), true)
        }
    }

    package func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool {
        state.withLock { state in
            state.rooms[id]?.room.revise(revision, at: time)
            return state.rooms[id] != nil
        }
    }

    package func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool {
        state.withLock { $0.rooms.removeValue(forKey: id) != nil }
    }

    package func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool {
        state.withLock { $0.rooms[id]?.participants.insert(user) != nil }
    }

    package func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool {
        state.withLock { $0.rooms[id]?.participants.remove(user) != nil }
    }

    package func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary] { [] }
    package func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber { 0 }
    package func readMarks(in room: RoomID, after cursor: UserID?, limit: Int) async throws(StoreError) -> [ReadMark] {
        []
    }

    // MARK: What these tests do not use

    package func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile] { [:] }
    package func update(_ user: UserID, _ profile: Profile) async throws(StoreError) {}
    package func friends(of user: UserID) async throws(StoreError) -> Set<UserID> { [] }
    package func befriend(_ a: UserID, _ b: UserID) async throws(StoreError) {}
    package func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError) {}
    package func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError) {}
    package func knownUsers(after cursor: UserID?, limit: Int) async throws(StoreError) -> [(
        user: UserID, profile: Profile
    )] {
        []
    }
    package func pendingEvents(of owner: InstanceID, limit: Int, except: Set<MessageID>) async throws(StoreError)
        -> [Message]
    {
        []
    }
    package func clearEvents(_ ids: [MessageID]) async throws(StoreError) {}
    package func adoptEvents(of dead: InstanceID, by owner: InstanceID) async throws(StoreError) -> Int { 0 }
    package func eventOwners() async throws(StoreError) -> [InstanceID] { [] }
    package func backlog() async throws(StoreError) -> (count: Int, oldest: Timestamp?) { (0, nil) }
    package func probe() async throws(StoreError) {}
    package func close() async {}
}
