import ChatDomain
import PersistenceSQLite
import Synchronization

/// A store that fails, waits or forgets as a test demands. What it stores and answers is a real store's, so that it
/// keeps the contract that `PersistenceTests/Contract` holds that store to.
package final class FaultyStore: DurableStore {
    package enum Behaviour: Sendable {
        case works
        case fails
        /// The real store gets it when the test calls `release`.
        case holds
        /// The real store does it at once; its answer waits until the test calls `release`.
        case holdsAnswers
        /// So many commits lose their races to other instances; the ones after them work. For commits.
        case losesRaces(Int)
    }

    /// A store, and the directory that goes with it.
    package typealias Opened = (store: any DurableStore, directory: TemporaryDirectory?)

    enum Kind { case read, note }

    private struct State {
        var opened: Opened
        var commits = Behaviour.works
        var reads = Behaviour.works
        /// Facts noted of users: names and when they were seen.
        var notes = Behaviour.works
        var heldCommits: [@Sendable () -> Void] = []
        var heldReads: [CheckedContinuation<Void, Never>] = []
        var commitsUnderWay = 0
        var commitSizes: [Int] = []
        var calls: [String: Int] = [:]
        var rooms: Set<RoomID> = []
    }

    private let state: Mutex<State>
    private let make: @Sendable () throws -> Opened

    /// - Parameter make: opens a new, empty store.
    package init(around make: @escaping @Sendable () throws -> Opened) throws {
        self.make = make
        state = Mutex(State(opened: try make()))
    }

    /// Around the embedded store, in a directory of its own.
    package convenience init() throws {
        try self.init {
            let directory = TemporaryDirectory()
            let store = try SQLiteStore(
                directory: directory.path, options: StoreOptions(), durability: .normal, commitSpacing: .zero)
            return (store, directory)
        }
    }

    package var isShared: Bool { true }

    // MARK: What tests say

    package func setCommits(_ behaviour: Behaviour) { state.withLock { $0.commits = behaviour } }
    package func setReads(_ behaviour: Behaviour) { state.withLock { $0.reads = behaviour } }
    package func setNotes(_ behaviour: Behaviour) { state.withLock { $0.notes = behaviour } }

    /// Does what was held back, in order.
    package func release() {
        let (commits, reads) = state.withLock { state in
            defer { (state.heldCommits, state.heldReads) = ([], []) }
            return (state.heldCommits, state.heldReads)
        }
        for commit in commits { commit() }
        for read in reads { read.resume() }
    }

    // MARK: What tests see

    package var heldCommits: Int { state.withLock { $0.heldCommits.count } }
    package var heldReads: Int { state.withLock { $0.heldReads.count } }
    /// Commits the real store is at work on.
    package var commitsUnderWay: Int { state.withLock { $0.commitsUnderWay } }
    /// How many messages each commit brought.
    package var commitSizes: [Int] { state.withLock { $0.commitSizes } }
    /// How often the function of this name was called.
    package func calls(_ name: String) -> Int { state.withLock { $0.calls[name] ?? 0 } }

    /// The store behind, for a test that acts as another instance would.
    package var real: any DurableStore { state.withLock { $0.opened.store } }

    package func messages(in room: String) async throws -> [String] {
        try await Self.messages(in: RoomID(unchecked: room), of: real).map(\.body.text)
    }

    package func participants(of room: String) async throws -> Set<String> {
        Set(try await real.room(RoomID(unchecked: room))?.participants.map(\.value) ?? [])
    }

    private static func messages(in room: RoomID, of store: any DurableStore) async throws(StoreError) -> [Message] {
        var found: [Message] = []
        while true {
            let query = HistoryQuery(.after(found.last?.sequence ?? 0), limit: HistoryQuery.limits.upperBound)
            let page = try await store.history(of: room, query)
            found += page.messages
            if !page.hasMoreAfter { return found }
        }
    }

    // MARK: What becomes of the data

    /// Puts messages into a room, as another instance would; the numbers they got.
    @discardableResult
    package func fill(_ name: String, count: Int, by author: String = "old") async throws -> [SequenceNumber] {
        let room = RoomID(unchecked: name)
        _ = try await real.create(
            Room(id: room, kind: .group, isPrivate: false, createdAt: Timestamp(milliseconds: 0)), participants: [])
        state.withLock { _ = $0.rooms.insert(room) }
        let before = try await real.lastSequences(of: [room])[room] ?? 0
        var ids = MessageIDGenerator(seed: UInt64.random(in: .min ... .max))
        let drafts = (1...SequenceNumber(max(count, 1))).map { number in
            MessageDraft(
                id: ids.next(at: Timestamp(milliseconds: before + number)),
                body: MessageBody(
                    author: UserID(unchecked: author), username: author, text: "old \(before + number)"),
                timestamp: Timestamp(milliseconds: before + number))
        }
        let outcome = await Self.commit(RoomWrite(roomID: room, lastKnown: before, messages: drafts), to: real)
        return outcome.drafts.compactMap { if case .stored(let sequence) = $0 { sequence } else { nil } }
    }

    /// Comes back without messages of this room that were acknowledged: a new store with everything else.
    package func lose(_ room: String, keeping count: Int) async throws {
        let (old, rooms) = state.withLock { ($0.opened, $0.rooms) }
        let new = try make()
        for id in rooms {
            guard let snapshot = try await old.store.room(id) else { continue }
            _ = try await new.store.create(snapshot.room, participants: Array(snapshot.participants))
            let messages = try await Self.messages(in: id, of: old.store)
            let kept = id.value == room ? messages.prefix(count) : messages[...]
            guard !kept.isEmpty else { continue }
            let drafts = kept.map { MessageDraft(id: $0.id, body: $0.body, timestamp: $0.timestamp) }
            _ = await Self.commit(RoomWrite(roomID: id, lastKnown: 0, messages: drafts), to: new.store)
        }
        state.withLock { $0.opened = new }
        await old.store.close()
    }

    private static func commit(_ write: RoomWrite, to store: any DurableStore) async -> RoomWriteOutcome {
        let outcomes = await withCheckedContinuation { continuation in
            store.commit([write]) { continuation.resume(returning: $0) }
        }
        return outcomes.first ?? .failure(of: write, .rejected(reason: "no outcome"))
    }

    // MARK: Messages

    package func commit(_ writes: [RoomWrite], completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        let behaviour = state.withLock { state in
            state.commitSizes.append(writes.reduce(0) { $0 + $1.drafts.count })
            state.rooms.formUnion(writes.map(\.roomID))
            if case .losesRaces(let count) = state.commits {
                state.commits = count > 0 ? .losesRaces(count - 1) : .works
            }
            return state.commits
        }
        switch behaviour {
        case .works: pass(writes, completion)
        case .fails: completion(writes.map { .failure(of: $0, .unavailable(reason: "made to fail")) })
        case .losesRaces: completion(writes.map { .failure(of: $0, .contended) })
        case .holds: state.withLock { $0.heldCommits.append { [self] in pass(writes, completion) } }
        case .holdsAnswers:
            pass(writes) { [self] outcomes in state.withLock { $0.heldCommits.append { completion(outcomes) } } }
        }
    }

    private func pass(_ writes: [RoomWrite], _ completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void) {
        let store = state.withLock { state in
            state.commitsUnderWay += 1
            return state.opened.store
        }
        store.commit(writes) { [self] outcomes in
            completion(outcomes)
            state.withLock { $0.commitsUnderWay -= 1 }
        }
    }

    package func history(of room: RoomID, _ query: HistoryQuery) async throws(StoreError) -> HistoryPage {
        try await read { store throws(StoreError) in try await store.history(of: room, query) }
    }

    package func lastSequences(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: SequenceNumber] {
        try await read { store throws(StoreError) in try await store.lastSequences(of: rooms) }
    }

    package func message(
        _ id: MessageID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message? {
        try await read { store throws(StoreError) in try await store.message(id, in: room, above: base) }
    }

    package func message(
        sentAs clientMessageID: String, by author: UserID, in room: RoomID, above base: SequenceNumber
    ) async throws(StoreError) -> Message? {
        try await read { store throws(StoreError) in
            try await store.message(sentAs: clientMessageID, by: author, in: room, above: base)
        }
    }

    package func changedMessages(of room: RoomID, _ query: ChangesQuery) async throws(StoreError) -> ChangesPage {
        try await read { store throws(StoreError) in try await store.changedMessages(of: room, query) }
    }

    package func replies(
        to id: MessageID, in room: RoomID, _ query: HistoryQuery
    ) async throws(StoreError) -> HistoryPage {
        try await read { store throws(StoreError) in try await store.replies(to: id, in: room, query) }
    }

    package func log(
        of room: RoomID, after sequence: SequenceNumber, limit: Int
    ) async throws(StoreError) -> RoomLogPage {
        try await read { store throws(StoreError) in try await store.log(of: room, after: sequence, limit: limit) }
    }

    func read<Value>(
        _ name: String = #function, _ body: (any DurableStore) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        try await call(name, .read, body)
    }

    func call<Value>(
        _ name: String, _ kind: Kind,
        _ body: (any DurableStore) async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let (behaviour, store) = state.withLock { state in
            state.calls[String(name.prefix { $0 != "(" }), default: 0] += 1
            return (kind == .read ? state.reads : state.notes, state.opened.store)
        }
        switch behaviour {
        case .works, .losesRaces: return try await body(store)
        case .fails: throw .unavailable(reason: "made to fail")
        case .holds:
            await wait()
            return try await body(real)
        case .holdsAnswers:
            let value = try await body(store)
            await wait()
            return value
        }
    }

    private func wait() async {
        await withCheckedContinuation { waiting in state.withLock { $0.heldReads.append(waiting) } }
    }

    // MARK: Rooms

    package func room(_ id: RoomID) async throws(StoreError) -> RoomSnapshot? {
        try await read { store throws(StoreError) in try await store.room(id) }
    }

    package func people(of rooms: [RoomID]) async throws(StoreError) -> [RoomID: RoomPeople] {
        try await read { store throws(StoreError) in try await store.people(of: rooms) }
    }

    package func create(_ room: Room, participants: [UserID]) async throws(StoreError) -> (
        snapshot: RoomSnapshot, created: Bool
    ) {
        state.withLock { _ = $0.rooms.insert(room.id) }
        return try await read { store throws(StoreError) in try await store.create(room, participants: participants) }
    }

    package func revise(_ id: RoomID, _ revision: RoomRevision, at time: Timestamp) async throws(StoreError) -> Bool {
        try await real.revise(id, revision, at: time)
    }

    package func delete(_ id: RoomID, at time: Timestamp) async throws(StoreError) -> Bool {
        try await real.delete(id, at: time)
    }

    package func add(_ user: UserID, to id: RoomID, limit: Int) async throws(StoreError) -> Bool {
        try await real.add(user, to: id, limit: limit)
    }

    package func remove(_ user: UserID, from id: RoomID) async throws(StoreError) -> Bool {
        try await real.remove(user, from: id)
    }

    package func rooms(
        of user: UserID, after cursor: RoomListCursor, limit: Int
    ) async throws(StoreError) -> [RoomSummary] {
        try await read { store throws(StoreError) in try await store.rooms(of: user, after: cursor, limit: limit) }
    }

    package func readMark(of user: UserID, in room: RoomID) async throws(StoreError) -> SequenceNumber {
        try await read { store throws(StoreError) in try await store.readMark(of: user, in: room) }
    }

    package func readMarks(in room: RoomID, after cursor: UserID?, limit: Int) async throws(StoreError) -> [ReadMark] {
        try await read { store throws(StoreError) in
            try await store.readMarks(in: room, after: cursor, limit: limit)
        }
    }
}

// MARK: - People

extension FaultyStore {
    package func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile] {
        try await read { store throws(StoreError) in try await store.profiles(of: users) }
    }

    package func update(_ user: UserID, _ profile: Profile) async throws(StoreError) {
        try await call(#function, .note) { store throws(StoreError) in try await store.update(user, profile) }
    }

    package func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError) {
        try await call(#function, .note) { store throws(StoreError) in try await store.recordLastSeen(seen) }
    }

    package func friends(of user: UserID) async throws(StoreError) -> Set<UserID> {
        try await read { store throws(StoreError) in try await store.friends(of: user) }
    }

    package func befriend(_ a: UserID, _ b: UserID) async throws(StoreError) { try await real.befriend(a, b) }
    package func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError) { try await real.unfriend(a, b) }

    package func knownUsers(after cursor: UserID?, limit: Int) async throws(StoreError) -> [(
        user: UserID, profile: Profile
    )] {
        try await read { store throws(StoreError) in try await store.knownUsers(after: cursor, limit: limit) }
    }
}

// MARK: - Who may do what

extension FaultyStore {
    package func set(_ standing: RoomStanding, in room: RoomID) async throws(StoreError) -> RecordOutcome {
        try await real.set(standing, in: room)
    }

    package func clear(
        _ kind: RoomStanding.Kind, of user: UserID, in room: RoomID
    ) async throws(StoreError) -> Bool { try await real.clear(kind, of: user, in: room) }

    package func standings(
        _ kind: RoomStanding.Kind, in room: RoomID, after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [RoomStanding] {
        try await read { store throws(StoreError) in
            try await store.standings(kind, in: room, after: cursor, limit: limit)
        }
    }

    package func block(_ other: UserBlock, by user: UserID) async throws(StoreError) -> RecordOutcome {
        try await real.block(other, by: user)
    }

    package func unblock(_ other: UserID, by user: UserID) async throws(StoreError) -> Bool {
        try await real.unblock(other, by: user)
    }

    package func blocks(by user: UserID, after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBlock] {
        try await read { store throws(StoreError) in try await store.blocks(by: user, after: cursor, limit: limit) }
    }

    package func blockers(of user: UserID, limit: Int) async throws(StoreError) -> Set<UserID> {
        try await read { store throws(StoreError) in try await store.blockers(of: user, limit: limit) }
    }

    package func isBlocked(_ user: UserID, by other: UserID) async throws(StoreError) -> Bool {
        try await read { store throws(StoreError) in try await store.isBlocked(user, by: other) }
    }

    package func hasBlocks() async throws(StoreError) -> Bool {
        try await read { store throws(StoreError) in try await store.hasBlocks() }
    }

    package func ban(_ ban: UserBan) async throws(StoreError) -> RecordOutcome { try await real.ban(ban) }
    package func unban(_ user: UserID) async throws(StoreError) -> Bool { try await real.unban(user) }

    package func ban(of user: UserID) async throws(StoreError) -> UserBan? {
        try await read { store throws(StoreError) in try await store.ban(of: user) }
    }

    package func bans(after cursor: UserID?, limit: Int) async throws(StoreError) -> [UserBan] {
        try await read { store throws(StoreError) in try await store.bans(after: cursor, limit: limit) }
    }

    package func flag(_ flag: MessageFlag, in room: RoomID) async throws(StoreError) -> RecordOutcome {
        try await real.flag(flag, in: room)
    }

    package func flags(
        in room: RoomID, after cursor: MessageFlag.Place?, limit: Int
    ) async throws(StoreError) -> [MessageFlag] {
        try await read { store throws(StoreError) in try await store.flags(in: room, after: cursor, limit: limit) }
    }

    package func settleFlags(of message: MessageID, in room: RoomID) async throws(StoreError) -> Int {
        try await real.settleFlags(of: message, in: room)
    }

    package func eraseModeration(of user: UserID) async throws(StoreError) { try await real.eraseModeration(of: user) }

    package func record(_ entry: AuditEntry) async throws(StoreError) {
        try await call(#function, .note) { store throws(StoreError) in try await store.record(entry) }
    }

    package func auditEntries(_ query: AuditQuery) async throws(StoreError) -> [AuditEntry] {
        try await read { store throws(StoreError) in try await store.auditEntries(query) }
    }

    package func trimAudit(before time: Timestamp, keeping count: Int) async throws(StoreError) {
        try await real.trimAudit(before: time, keeping: count)
    }
}

// MARK: - Search and life

extension FaultyStore {
    package func people(
        _ query: PeopleQuery, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] { try await real.people(query, limit: limit) }

    package func search(_ search: MessageSearch) async throws(StoreError) -> SearchPage {
        try await read { store throws(StoreError) in try await store.search(search) }
    }

    package func probe() async throws(StoreError) {
        try await read { store throws(StoreError) in try await store.probe() }
    }

    package func noteUnannouncedChange() async throws(StoreError) {
        try await call(#function, .note) { store throws(StoreError) in try await store.noteUnannouncedChange() }
    }

    package func unannouncedChanges() async throws(StoreError) -> Int64 {
        try await read { store throws(StoreError) in try await store.unannouncedChanges() }
    }

    package func close() async { await real.close() }
}
