import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceSQLite

/// The state of a store after its process or the machine died at any moment of a commit or a move.
@Suite struct JournalCrashTests {
    private let drafts = Drafts()
    private static let frameBytes = 4096 + 24
    private static let logHeaderBytes = 32

    /// What a store over these files holds, by room; each message once and without holes, nothing left in the journal.
    private func recovered(_ home: SQLiteHome) throws -> [RoomID: [MessageID]] {
        let store = try SteppedStore(home)
        var found: [RoomID: [MessageID]] = [:]
        for room in rooms {
            let messages = try store.history(of: room, HistoryQuery(.after(0), limit: 1000)).messages
            #expect(messages.map(\.sequence) == (0..<messages.count).map { Int64($0) + 1 }, "no holes, nothing twice")
            if !messages.isEmpty { found[room] = messages.map(\.id) }
        }
        #expect(try store.session.connection.countUnmoved() == 0)
        #expect(
            try store.session.connection.statement("SELECT count(*) FROM journal").first { $0.integer(0) } == 0)
        return found
    }

    private let rooms: [RoomID] = (0..<12).map { RoomID(unchecked: "room-\($0)") }

    @Test func aProcessKilledAtAnyStepOfAMoveLosesAndDoublesNothing() throws {
        let home = try SQLiteHome()
        let copy = try SQLiteHome()
        defer { [home, copy].forEach { $0.remove() } }
        let store = try SteppedStore(home)
        var stored: [RoomID: [MessageID]] = [:]
        for index in 0..<200 {
            let draft = drafts.next(client: "c\(index)")
            #expect(try store.append([draft], to: rooms[index % 12]).first?.storedSequence != nil)
            stored[rooms[index % 12], default: []].append(draft.id)
        }
        var steps = 0
        try store.atEveryStep { step in
            let draft = drafts.next()
            _ = try store.append([draft], to: rooms[step % 12])
            stored[rooms[step % 12], default: []].append(draft.id)
            try store.copyFiles(to: copy)
            #expect(try recovered(copy) == stored, "step \(step)")
            steps += 1
        }
        #expect(steps > 4, "the move took several steps")
    }

    /// The log of a power loss: cut at each frame and inside each frame, the rest missing, zeros or what was there before.
    @Test(arguments: [nil, 0, 0xA5] as [UInt8?])
    func aLogCutAnywhereHasTheCommitsBeforeTheCut(rest: UInt8?) throws {
        let home = try SQLiteHome()
        let copy = try SQLiteHome()
        defer { [home, copy].forEach { $0.remove() } }
        let store = try SteppedStore(home)
        // From here on the log holds the commits under test alone.
        _ = try store.session.connection.checkpoint()
        var stored: [RoomID: [MessageID]] = [:]
        /// The stored messages for each length of the log.
        var history: [(frames: Int, stored: [RoomID: [MessageID]])] = [(0, [:])]
        for commit in 0..<24 {
            let writes = (0..<3).map { index in
                RoomWrite(
                    roomID: rooms[(commit * 3 + index) % 12], lastKnown: 0,
                    messages: [drafts.next(client: "c\(commit)-\(index)")])
            }
            #expect(try store.commit(writes).allSatisfy { $0.drafts[0].storedSequence != nil })
            for write in writes { stored[write.roomID, default: []].append(write.drafts[0].id) }
            history.append((store.session.connection.loggedFrames, stored))
            // Steps of moves stand between the commits.
            if commit % 8 > 4 { try store.session.moveSome(at: store.now, isForced: true) }
        }
        try store.copyFiles(to: copy)
        let log = try Data(contentsOf: URL(fileURLWithPath: copy.directory + "/chat.db-wal"))
        let database = try Data(contentsOf: URL(fileURLWithPath: copy.directory + "/chat.db"))
        let last = try #require(history.last).frames
        for frame in 0...last {
            for offset in [0, 100, Self.frameBytes - 1] where frame < last || offset == 0 {
                let cut = Self.logHeaderBytes + frame * Self.frameBytes + offset
                let tail = rest.map { Data(repeating: $0, count: max(0, log.count - cut)) } ?? Data()
                try database.write(to: URL(fileURLWithPath: copy.directory + "/chat.db"))
                try (log.prefix(cut) + tail).write(to: URL(fileURLWithPath: copy.directory + "/chat.db-wal"))
                // A frame that ends with the byte that fills the rest is whole all the same.
                let end = Self.logHeaderBytes + (frame + 1) * Self.frameBytes
                let isWhole = offset > 0 && (log.prefix(cut) + tail).prefix(end) == log.prefix(end)
                let frames = isWhole ? frame + 1 : frame
                let expected = try #require(history.last { $0.frames <= frames }).stored
                #expect(try recovered(copy) == expected, "cut at frame \(frame) and \(offset) bytes")
            }
        }
    }

    /// SQLite's `synchronous`: 2 flushes the log at each commit, 1 does not.
    @Test func commitsAreFlushedAndStepsOfAMoveAreNot() throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SteppedStore(home, durability: .full)
        func level() throws -> Int64? {
            try store.session.connection.statement("PRAGMA synchronous").first { $0.integer(0) }
        }
        var levels: [Int64?] = [try level()]
        for _ in 0..<2 {
            try store.commit([RoomWrite(roomID: rooms[0], lastKnown: 0, messages: drafts.many(1))])
            levels.append(try level())
            try store.session.moveSome(at: store.now, isForced: true)
            levels.append(try level())
        }
        #expect(levels == [2, 2, 1, 2, 1])
    }

    @Test func aMoveThatFailsChangesNothingAndIsTriedAgain() throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try SteppedStore(home)
        let stored = drafts.many(100)
        _ = try store.append(stored, to: rooms[0])
        try store.session.moveSome(at: store.now, isForced: true)
        try store.session.connection.execute(
            "CREATE TEMP TRIGGER full BEFORE INSERT ON main.messages BEGIN SELECT RAISE(ABORT, 'full'); END")
        #expect(throws: StoreError.self) { try store.session.moveSome(at: store.now) }
        store.session.rollBack()
        #expect(
            try store.history(of: rooms[0], HistoryQuery(.latest, limit: 100)).messages.map(\.id) == stored.map(\.id))
        try store.session.connection.execute("DROP TRIGGER full")
        try store.moveAll()
        #expect(
            try store.history(of: rooms[0], HistoryQuery(.latest, limit: 100)).messages.map(\.id) == stored.map(\.id))
        #expect(store.session.journal.isEmpty)
    }

    @Test func aMoveThatFailedIsTriedAgainWithoutMoreWrites() async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try home.openSQLite()
        _ = try await store.create(.group("a"), participants: ["ann"])
        let other = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
        try other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END")
        await store.append(drafts.many(3), to: "a")
        func moved() throws -> Int64? { try other.statement("SELECT count(*) FROM messages").first { $0.integer(0) } }
        // The first attempt comes after an interval, and fails.
        let due = ContinuousClock.now + Journal.interval * 1.5
        #expect(await eventually { ContinuousClock.now > due })
        #expect(try moved() == 0)
        try other.execute("DROP TRIGGER full")
        #expect(await eventually { (try? moved()) == 3 })
        await store.close()
    }

    /// Files of every version before, with everything in the table of messages.
    @Test(arguments: [1, 2, 8]) func aFileOfAnOlderVersionIsUpgradedBackedUpAndRestored(_ version: Int) async throws {
        let new = try SQLiteHome()
        let home = try SQLiteHome()
        let other = try SQLiteHome()
        defer { [new, home, other].forEach { $0.remove() } }
        let first = try new.openSQLite()
        let old = drafts.next("old", client: "c1")
        _ = try await first.create(.group("a"), participants: ["ann"])
        await first.append(drafts.many(9) + [old], to: "a")
        await first.close()
        try FormerFile(version).write(from: new, to: home)
        let contents = try SQLiteStore.backUp(directory: home.directory, to: home.directory + "/copy")
        #expect(contents.messages == 10)
        #expect(try SQLiteStore.restore(home.directory + "/copy", into: other.directory).contents == contents)
        for home in [home, other] {
            let store = try home.openSQLite()
            #expect(try await store.numbers(of: "a", HistoryQuery(.latest)) == Array(1...10))
            #expect(
                await store.append([drafts.next("old", client: "c1"), drafts.next("new")], to: "a")
                    == [.duplicate(id: old.id, sequence: 10, timestamp: old.timestamp), .stored(11)])
            #expect(try await store.message(old.id, in: "a", above: 0)?.body.text == "old")
            await store.close()
        }
    }

    @Test func aBackupMadeDuringAMoveHasEveryMessageInItsTable() async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        do {
            let store = try SteppedStore(home)
            for room in rooms { _ = try store.append(drafts.many(10), to: room) }
            try store.session.moveSome(at: store.now, isForced: true)
            #expect(try store.session.connection.countUnmoved() == 120 - JournalMove.insertedAtOnce)
            let backup = Backup(
                target: home.directory + "/copy", replacesTarget: false, isCancelled: { false }, report: { _ in })
            #expect(try backup.make(of: store.path).messages == 120)
        }
        let copy = try SQLiteConnection(path: home.directory + "/copy", mode: .readOnly)
        for (table, count): (StaticString, Int64) in [
            ("SELECT count(*) FROM messages", 120), ("SELECT count(*) FROM journal", 0),
        ] {
            #expect(try copy.statement(table).first { $0.integer(0) } == count)
        }
    }

    @Test func closingLeavesNothingInTheJournal() async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try home.openSQLite()
        for room in rooms { await store.append(drafts.many(20), to: room) }
        await store.close()
        let connection = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
        #expect(try connection.statement("SELECT count(*) FROM journal").first { $0.integer(0) } == 0)
        #expect(try connection.statement("SELECT count(*) FROM messages").first { $0.integer(0) } == 240)
    }
}
