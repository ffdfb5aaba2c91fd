import ChatDomain
import Foundation

@testable import PersistenceSQLite

/// A store whose writer and reader run on the test's own thread, so that a move can be stopped at each of its steps.
final class SteppedStore {
    let directory: String
    let unmoved = UnmovedMessages()
    let session: WriteSession
    private let reader: SQLiteConnection
    let now = ContinuousClock.now

    var path: String { directory + "/chat.db" }

    init(
        _ home: SQLiteHome, _ options: StoreOptions = StoreOptions(), durability: SQLiteStore.Durability = .normal
    ) throws {
        directory = home.directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        session = try WriteSession(
            path: directory + "/chat.db", options: options, durability: durability, unmoved: unmoved)
        reader = try SQLiteConnection(path: directory + "/chat.db", mode: .readOnly)
    }

    /// One transaction, published.
    @discardableResult
    func commit(_ writes: [RoomWrite]) throws -> [RoomWriteOutcome] {
        let outcomes = try transaction { try writes.map { try session.perform($0) } }
        session.publishCommitted(at: now)
        return outcomes
    }

    func transaction<Value>(_ body: () throws -> Value) throws -> Value {
        try session.begin()
        let value = try body()
        try session.commit()
        return value
    }

    func append(_ drafts: [MessageDraft], to room: RoomID) throws -> [RoomWriteOutcome.Draft] {
        try commit([RoomWrite(roomID: room, lastKnown: 0, messages: drafts)])[0].drafts
    }

    /// Calls `check` before the first step of a move of everything, after each step and at the end.
    func atEveryStep(_ check: (_ step: Int) throws -> Void) throws {
        var step = 0
        try check(step)
        repeat {
            try session.moveSome(at: now, isForced: true)
            step += 1
            try check(step)
        } while session.isMoving
    }

    func moveAll() throws { try atEveryStep { _ in } }

    // MARK: As readers of the store do

    func history(of room: RoomID, _ query: HistoryQuery) throws -> HistoryPage {
        let tail = unmoved.tail(of: room, query)
        return try reader.consistently { () throws(StoreError) in try reader.history(of: room, query, tail: tail) }
    }

    func search(_ search: MessageSearch) throws -> SearchPage {
        let unmoved = unmoved.snapshot()
        return try reader.consistently { () throws(StoreError) in
            var run = SearchRun(search, unmoved: unmoved, on: reader)
            return try run.page()
        }
    }

    func lastSequences(of rooms: [RoomID]) throws -> [RoomID: SequenceNumber] {
        try reader.lastSequences(of: rooms, unmoved: unmoved.newest(in: rooms))
    }

    func room(_ id: RoomID) throws -> RoomSnapshot? {
        try reader.room(id, unmoved: unmoved.newest(in: id)?.sequence ?? 0)
    }

    func pendingEvents(of owner: InstanceID) throws -> [Message] {
        try reader.pendingEvents(of: owner, to: .broker, limit: 1000, except: [], unmoved: unmoved)
            .compactMap(\.message)
    }

    func backlog() throws -> (count: Int, oldest: Timestamp?) { try reader.backlog(to: .broker, unmoved: unmoved) }

    func rooms(of user: UserID) throws -> [RoomSummary] {
        try reader.rooms(of: user, after: .start, limit: 100, unmoved: unmoved)
    }

    /// Copies the files as they stand: what a killed process leaves.
    func copyFiles(to home: SQLiteHome) throws {
        try FileManager.default.createDirectory(atPath: home.directory, withIntermediateDirectories: true)
        for name in ["/chat.db", "/chat.db-wal"] {
            let target = home.directory + name
            try? FileManager.default.removeItem(atPath: target)
            try FileManager.default.copyItem(atPath: directory + name, toPath: target)
        }
    }
}
