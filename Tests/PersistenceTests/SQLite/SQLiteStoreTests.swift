import ChatDomain
import Foundation
import TestSupport
import Testing

@testable import PersistenceSQLite

/// The embedded store, beyond the common contract.
@Suite struct SQLiteStoreTests {
    private let drafts = Drafts()

    private func withSQLite(_ body: (SQLiteHome) async throws -> Void) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        try await body(home)
    }

    @Test func aSecondOpenerIsRefused() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            let error = #expect(throws: StoreError.self) { try home.openSQLite() }
            let reason = try #require(error?.unavailableReason)
            #expect(reason.contains(home.directory) && reason.contains("another process uses it"))
            await store.close()
            let again = try home.openSQLite()
            await again.close()
        }
    }

    @Test func anUnusableDirectoryIsNamed() async throws {
        let error = #expect(throws: StoreError.self) {
            try SQLiteStore(directory: "/proc/nowhere/data", options: StoreOptions())
        }
        let reason = try #require(error?.unavailableReason)
        #expect(reason.contains("/proc/nowhere"))
    }

    @Test func aFileOfANewerVersionIsRefused() async throws {
        try await withSQLite { home in
            await (try home.openSQLite()).close()
            do {
                let connection = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
                try connection.execute("PRAGMA user_version = 999")
            }
            let error = #expect(throws: StoreError.self) { try home.openSQLite() }
            let reason = try #require(error?.rejectedReason)
            #expect(reason.contains("999"))
        }
    }

    @Test func aFileThatWasTamperedWithIsRefusedOrServed() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            _ = try await store.create(.group("a"), participants: ["ann"])
            await store.append(drafts.many(3), to: "a")
            await store.close()
            for extreme in [Int64.min, -100_000_000_000_000_000, -1, .max] {
                do {
                    let connection = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
                    try connection.execute(
                        """
                        UPDATE rooms SET history_base = \(extreme), created_at = \(extreme), updated_at = \(extreme);
                        UPDATE messages SET timestamp = \(extreme);
                        INSERT INTO read_marks VALUES(1, 'ann', \(extreme)) ON CONFLICT DO UPDATE SET sequence = \(extreme);
                        INSERT INTO users(id, last_seen) VALUES('ann', \(extreme))
                            ON CONFLICT DO UPDATE SET last_seen = \(extreme);
                        """)
                }
                let store = try home.openSQLite()
                #expect(try await store.numbers(of: "a", HistoryQuery(.latest)) == [1, 2, 3])
                #expect(try await store.room("a")?.lastSequence == 3)
                #expect(try await store.rooms(of: "ann", limit: 5).map(\.unread) == [0], "the newest is her own")
                #expect(try await store.profiles(of: ["ann"])["ann"]?.lastSeen?.iso8601.count == 24)
                await store.close()
            }
            do {
                let connection = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
                try connection.execute("PRAGMA user_version = -7")
            }
            let error = #expect(throws: StoreError.self) { try home.openSQLite() }
            #expect(try #require(error?.rejectedReason).contains("-7"))
        }
    }

    @Test func everybodysWritesShareATransaction() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            let gate = Gate()
            async let held: Void = store.write { _ throws(StoreError) in gate.pass() }
            await gate.reached()
            let order = CallbackLog<String>()
            async let created = store.create(.group("a", name: "n"), participants: ["ann"])
            let drafts = drafts.many(30)
            let answers = Countdown(30)
            for draft in drafts {
                store.commit([RoomWrite(roomID: "a", lastKnown: 0, messages: [draft])]) { outcomes in
                    order.add("\(outcomes[0].drafts[0])")
                    answers.hit()
                }
            }
            gate.open()
            try await held
            await answers.finished()
            #expect(try await created.created)
            #expect(order.entries == (1...30).map { "\(RoomWriteOutcome.Draft.stored(SequenceNumber($0)))" })
            await store.close()
        }
    }

    @Test func aFullDiskRefusesEverythingAndIsGotOver() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite(StoreOptions(outboxOwner: InstanceID("one")))
            _ = try await store.create(.group("a"), participants: [])
            await store.append(drafts.many(2), to: "a")
            try await store.write { session throws(StoreError) in
                _ = try session.connection.statement("PRAGMA max_page_count = 1").first { $0.integer(0) }
            }
            let outcomes = await store.commit([
                RoomWrite(roomID: "small", lastKnown: 0, messages: [drafts.next("fits")]),
                RoomWrite(
                    roomID: "a", lastKnown: 2, newParticipants: ["ann"],
                    readMarks: [ReadMark(userID: "ann", sequence: 1)],
                    messages: [drafts.next(String(repeating: "x", count: 100_000)), drafts.next("after")]),
            ])
            for outcome in outcomes.flatMap(\.drafts) {
                guard case .failed(.unavailable) = outcome else {
                    Issue.record("stored on a full disk: \(outcome)")
                    continue
                }
            }
            #expect(outcomes[1].readMarks.count == 1)
            #expect(throws: StoreError.self) { try outcomes[1].readMarks[0].get() }
            #expect(try await store.lastSequences(of: ["a", "small"]) == ["a": 2])
            #expect(try await store.room("a")?.participants == [])
            #expect(try await store.backlog(to: .broker).count == 2)

            try await store.write { session throws(StoreError) in
                _ = try session.connection.statement("PRAGMA max_page_count = 1000000").first { $0.integer(0) }
            }
            #expect(await store.append(drafts.many(2), to: "a", lastKnown: 2) == [.stored(3), .stored(4)])
            #expect(await store.append(drafts.many(1), to: "small") == [.stored(1)])
            try await store.probe()
            await store.close()
        }
    }

    @Test func aRefusedMutationLeavesItsNeighboursAlone() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            let gate = Gate()
            async let held: Void = store.write { _ throws(StoreError) in gate.pass() }
            await gate.reached()
            let refused = Task {
                try await store.write { session throws(StoreError) in
                    _ = try session.create(.group("a", name: "half done"), participants: [])
                    throw .rejected(reason: "on purpose")
                }
            }
            async let made = store.create(.group("a", name: "kept"), participants: [])
            async let stored = store.append(drafts.many(2), to: "a")
            gate.open()
            try await held
            await #expect(throws: StoreError.rejected(reason: "on purpose")) { try await refused.value }
            #expect(try await made.created)
            #expect(await stored == [.stored(1), .stored(2)])
            #expect(try await store.room("a")?.room.name == "kept")
            await store.close()
        }
    }

    @Test func oneRefusedDraftLeavesItsNeighboursAlone() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            try await store.write { session throws(StoreError) in
                try session.connection.execute(
                    """
                    CREATE TRIGGER refuse BEFORE INSERT ON journal WHEN new.text = 'refuse me'
                    BEGIN SELECT RAISE(ABORT, 'refused'); END
                    """)
            }
            let outcomes = await store.append(
                [drafts.next("one"), drafts.next("refuse me"), drafts.next("two")], to: "a")
            #expect(outcomes.map(\.storedSequence) == [1, nil, 2])
            guard case .failed(let error) = outcomes[1] else { throw TestFailure("not refused: \(outcomes[1])") }
            #expect(error.rejectedReason?.contains("refused") == true)
            await store.close()
        }
    }

    @Test func aLongLogIsCopiedAndStartedOver() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            let text = String(repeating: "x", count: 30_000)
            for _ in 0..<12 { await store.append((0..<400).map { _ in drafts.next(text) }, to: "a") }
            let log = try FileManager.default.attributesOfItem(atPath: home.directory + "/chat.db-wal")[.size] as? Int
            // To the journal and to the table.
            let written = 2 * 12 * 400 * 30_000
            #expect(try #require(log) < written, "the log was never started over")
            #expect(try await store.numbers(of: "a", HistoryQuery(.after(4790), limit: 1000)).count == 10)
            await store.close()
        }
    }

    @Test func closingFinishesWhatWaits() async throws {
        try await withSQLite { home in
            let store = try home.openSQLite()
            let answers = Countdown(50)
            for draft in drafts.many(50) {
                store.commit([RoomWrite(roomID: "a", lastKnown: 0, messages: [draft])]) { _ in answers.hit() }
            }
            await store.close()
            await answers.finished()
            let again = try home.openSQLite()
            #expect(try await again.lastSequences(of: ["a"]) == ["a": 50])
            await again.close()
        }
    }

    @Test func aStoreForRealReservesItsLogAndReadsItBack() async throws {
        try await withSQLite { home in
            for round in 1...2 {
                let store = try SQLiteStore(directory: home.directory, options: StoreOptions(), durability: .full)
                let log =
                    try FileManager.default.attributesOfItem(atPath: home.directory + "/chat.db-wal")[.size] as? Int
                #expect(try #require(log) > CheckpointPolicy.frames * 4096)
                #expect(await store.append(drafts.many(3), to: "a").count == 3)
                let copies = try SQLiteHome()
                defer { copies.remove() }
                try FileManager.default.createDirectory(atPath: copies.directory, withIntermediateDirectories: true)
                for file in ["chat.db", "chat.db-wal"] {
                    try FileManager.default.copyItem(
                        atPath: home.directory + "/" + file, toPath: copies.directory + "/" + file)
                }
                let copy = try copies.openSQLite()
                #expect(try await copy.numbers(of: "a", HistoryQuery(.latest)).count == round * 3)
                await copy.close()
                await store.close()
            }
        }
    }
}
