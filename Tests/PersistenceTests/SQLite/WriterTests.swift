import ChatDomain
import Foundation
import TestSupport
import Testing
import Workers

@testable import PersistenceSQLite

/// The writer by itself, on the test's own thread: what it does when the commit itself fails.
@Suite struct WriterTests {
    private let drafts = Drafts()

    /// - Parameter preparation: SQL that is run when the database is opened.
    private func writer(
        in home: SQLiteHome, of queue: WorkQueue<WriteJob>, _ unmoved: UnmovedMessages = UnmovedMessages(),
        health: WriterHealth = WriterHealth(), preparation: String = ""
    ) throws -> Writer {
        try FileManager.default.createDirectory(atPath: home.directory, withIntermediateDirectories: true)
        let path = home.directory + "/chat.db"
        return try Writer(
            queue: queue, health: health, checkpointer: Checkpointer(helper: CheckpointHelper()),
            pacing: CommitPacing(spacing: .zero)
        ) { () throws(StoreError) in
            let session = try WriteSession(
                path: path, options: StoreOptions(), durability: .normal, unmoved: unmoved)
            try session.connection.execute(preparation)
            return session
        }
    }

    /// Works off jobs in one transaction each, on a database where a job can make the commit fail.
    private func work(in home: SQLiteHome, _ jobs: [WriteJob]) throws -> (failing: Bool, settled: Int64) {
        let queue = WorkQueue<WriteJob>(capacity: 100)
        let health = WriterHealth()
        // A deferred reference to nothing is found only by the commit.
        let writer = try writer(
            in: home, of: queue, health: health,
            preparation: """
                PRAGMA foreign_keys = ON;
                CREATE TABLE IF NOT EXISTS parents(id INTEGER PRIMARY KEY);
                CREATE TABLE IF NOT EXISTS children(id REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
                """)
        for job in jobs { #expect(queue.post(job)) }
        queue.close()
        writer.run()
        let settled = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
            .statement("SELECT count FROM settlements").first { $0.integer(0) }
        return (health.isFailing, try #require(settled))
    }

    @Test func aFailedCommitIsRolledBackBeforeItsOutcomeIsReported() throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let outcomes = CallbackLog<RoomWriteOutcome.Draft>()
        func append(_ text: String) -> WriteJob {
            .commit([RoomWrite(roomID: "a", lastKnown: 0, messages: [drafts.next(text)])]) { answer in
                for draft in answer.flatMap(\.drafts) { outcomes.add(draft) }
            }
        }
        let failures = CallbackLog<Bool>()
        let poison = WriteJob.mutation { session throws(StoreError) in
            try session.connection.execute("INSERT INTO children VALUES(1)")
        } answer: { result in
            failures.add((try? result.get()) == nil)
        }
        let bad = try work(in: home, [append("lost"), poison])
        #expect(bad.failing)
        #expect(bad.settled == 1)
        #expect(failures.entries == [true])
        #expect(outcomes.entries.count == 1)
        #expect(outcomes.entries.first?.storedSequence == nil)

        let good = try work(in: home, [append("first"), append("second")])
        #expect(!good.failing)
        #expect(good.settled == 1)
        #expect(outcomes.entries.suffix(2) == [.stored(1), .stored(2)])
    }

    /// However fast messages come and whatever the search index has to do: the journal stays far from the bound at which
    /// commits wait for it.
    @Test func aJournalOfManyMessagesIsMovedAsFastAsItGrows() throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let queue = WorkQueue<WriteJob>(capacity: 100)
        let unmoved = UnmovedMessages()
        let writer = try writer(in: home, of: queue, unmoved)
        var most = 0
        for batch in 0..<150 {
            let writes = (0..<200).map { number in
                RoomWrite(
                    roomID: RoomID(unchecked: "room-\(number)"), lastKnown: 0,
                    messages: [drafts.next("word\(batch) of \(number)")])
            }
            #expect(queue.post(.commit(writes) { _ in }))
            #expect(writer.workOnce())
            most = max(most, unmoved.snapshot().messages.count)
        }
        #expect(most > Journal.enough.messages && most < Journal.limit.messages * 3 / 4)
    }

    /// While nothing can be moved, the journal fills to its bound, and then commits are refused.
    @Test func aFullJournalRefusesCommitsUntilItCanBeMoved() throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let outcomes = CallbackLog<RoomWriteOutcome.Draft>()
        let text = String(repeating: "x", count: 1 << 20)
        let append = WriteJob.commit([
            RoomWrite(roomID: "a", lastKnown: 0, messages: (0..<18).map { _ in drafts.next(text) })
        ]) {
            answer in
            for draft in answer.flatMap(\.drafts) { outcomes.add(draft) }
        }
        func run(_ sql: String) -> WriteJob {
            .mutation { session throws(StoreError) in
                try session.connection.execute(sql)
            } answer: { _ in
            }
        }
        let block = run("CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'no space'); END")
        let queue = WorkQueue<WriteJob>(capacity: 100)
        let writer = try writer(in: home, of: queue)
        // Each in a transaction of its own.
        for job in [block, append, append] {
            #expect(queue.post(job))
            #expect(writer.workOnce())
        }
        #expect(outcomes.entries.prefix(18).map(\.storedSequence) == (1...18).map { $0 })
        #expect(outcomes.entries.count == 36 && outcomes.entries.suffix(18).allSatisfy(\.isUnavailable))
        try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite).execute("DROP TRIGGER full")
        for job in [append, append] {
            #expect(queue.post(job))
            #expect(writer.workOnce())
        }
        #expect(
            outcomes.entries.suffix(18).map(\.storedSequence) == (19...36).map { $0 },
            "one attempt found it moved again")
        queue.close()
        writer.run()
        let left = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite).countUnmoved()
        #expect(left == 0)
    }
}
