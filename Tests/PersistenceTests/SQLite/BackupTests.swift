import ChatDomain
import Foundation
import Testing

@testable import PersistenceSQLite

@Suite struct BackupTests {
    private let drafts = Drafts()

    private func withStore(_ body: (SQLiteHome, SQLiteStore) async throws -> Void) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        let store = try home.openSQLite()
        try await body(home, store)
        await store.close()
    }

    private func files(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test func commitsGoOnWhileABackupIsMade() async throws {
        try await withStore { home, store in
            let text = String(repeating: "x", count: 10_000)
            await store.append((0..<400).map { _ in drafts.next(text) }, to: "a")
            let gate = Gate()
            async let backup = store.backUp(
                to: home.directory + "/copy", report: { if $0.pagesCopied == 256 { gate.pass() } })
            await gate.reached()
            #expect(await store.append(drafts.many(5), to: "a", lastKnown: 400).last == .stored(405))
            gate.open()
            let contents = try await backup
            // One state of the store: the one from before what came while it was copied.
            #expect(contents.messages == 400)
            let copy = try SQLiteHome()
            defer { copy.remove() }
            #expect(
                try SQLiteStore.restore(home.directory + "/copy", into: copy.directory)
                    == Restoration(contents: contents, previous: nil))
            let restored = try copy.openSQLite()
            #expect(try await restored.lastSequences(of: ["a"]) == ["a": 400])
            #expect(await restored.append(drafts.many(1), to: "a", lastKnown: 400) == [.stored(401)])
            await restored.close()
        }
    }

    @Test func aBackupTakesNoNameThatIsTaken() async throws {
        try await withStore { home, store in
            let path = home.directory + "/copy"
            try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
            await #expect(throws: StoreError.rejected(reason: "\(path) exists")) {
                try await store.backUp(to: path)
            }
            #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
            _ = try await store.backUp(to: path, replacing: true)
            #expect(FileManager.default.contents(atPath: path)?.starts(with: Data("SQLite format 3".utf8)) == true)
        }
    }

    @Test(arguments: ["chat.db", "chat.db-wal", "chat.db.restored", "chat.lock", "Chat.db"])
    func aBackupNeverTakesANameOfTheStore(_ name: String) async throws {
        try await withStore { home, store in
            await store.append(drafts.many(1), to: "a")
            let link = home.directory + "-link"
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: home.directory)
            defer { try? FileManager.default.removeItem(atPath: link) }
            let before = try files(in: home.directory)
            for path in ["\(home.directory)/\(name)", "\(link)/\(name)"] {
                await #expect(throws: StoreError.rejected(reason: "\(path) is a name of the store's own files")) {
                    try await store.backUp(to: path, replacing: true)
                }
            }
            #expect(try files(in: home.directory) == before)
            #expect(await store.append(drafts.many(1), to: "a", lastKnown: 1) == [.stored(2)])
        }
    }

    @Test func aBackupReplacesRegularFilesOnly() async throws {
        try await withStore { home, store in
            let pipe = home.directory + "/pipe"
            #expect(mkfifo(pipe, 0o600) == 0)
            await #expect(throws: StoreError.rejected(reason: "\(pipe) is not a regular file")) {
                try await store.backUp(to: pipe, replacing: true)
            }
            var status = stat()
            #expect(stat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        }
    }

    @Test func aNameTakenMeanwhileIsLeftAlone() async throws {
        try await withStore { home, store in
            let path = home.directory + "/copy"
            await #expect(throws: StoreError.rejected(reason: "\(path) exists")) {
                try await store.backUp(
                    to: path,
                    report: { _ in
                        _ = FileManager.default.createFile(atPath: path, contents: Data("mine".utf8))
                    })
            }
            #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8))
        }
    }

    @Test func aCancelledBackupLeavesNothing() async throws {
        try await withStore { home, store in
            let before = try files(in: home.directory)
            await #expect(throws: StoreError.self) {
                try await store.backUp(to: home.directory + "/copy", isCancelled: { true })
            }
            #expect(try files(in: home.directory) == before)
        }
    }

    @Test func aBackupThatCannotBeWrittenSaysWhere() async throws {
        try await withStore { _, store in
            let error = await #expect(throws: StoreError.self) { try await store.backUp(to: "/proc/nowhere/copy") }
            #expect(error?.reason.contains("/proc/nowhere/copy") == true)
        }
    }

    @Test func aStoppedStoreIsBackedUpToo() async throws {
        try await withStore { home, store in
            await store.append(drafts.many(3), to: "a")
            #expect(throws: StoreError.self) {
                try SQLiteStore.backUp(directory: home.directory, to: home.directory + "/copy")
            }
            await store.close()
            let contents = try SQLiteStore.backUp(directory: home.directory, to: home.directory + "/copy")
            #expect(contents.messages == 3)
            #expect(throws: StoreError.rejected(reason: "there is no store in /nowhere")) {
                try SQLiteStore.backUp(directory: "/nowhere", to: home.directory + "/other")
            }
        }
    }

    @Test func theStoreBeforeARestoreIsKept() async throws {
        try await withStore { home, store in
            await store.append(drafts.many(2), to: "a")
            let path = home.directory + "/copy"
            _ = try await store.backUp(to: path)
            await store.append(drafts.many(1), to: "a", lastKnown: 2)
            #expect(throws: StoreError.self, "it is in use") { try SQLiteStore.restore(path, into: home.directory) }
            await store.close()
            let previous = try #require(try SQLiteStore.restore(path, into: home.directory).previous)
            for (directory, newest) in [(home.directory, SequenceNumber(2)), (previous, 3)] {
                let opened = try SQLiteStore(directory: directory, options: StoreOptions(), durability: .normal)
                #expect(try await opened.lastSequences(of: ["a"]) == ["a": newest])
                await opened.close()
            }
        }
    }

    @Test func aRestoreThatWasCutShortIsFinishedAtTheNextStart() async throws {
        try await withStore { home, store in
            await store.append(drafts.many(2), to: "a")
            let decided = home.directory + "/chat.db.restored"
            let path = home.directory + "/copy"
            _ = try await store.backUp(to: path)
            try FileManager.default.moveItem(atPath: path, toPath: decided)
            await store.append(drafts.many(1), to: "a", lastKnown: 2)
            await store.close()
            // Cut short behind the decision, with the old database still there, and a log that is not the new one's.
            try Data(repeating: 7, count: 5000).write(to: URL(fileURLWithPath: home.directory + "/chat.db-wal"))
            let opened = try home.openSQLite()
            #expect(try await opened.lastSequences(of: ["a"]) == ["a": 2])
            await opened.close()
            let aside = try #require(try files(in: home.directory).first { $0.hasPrefix("replaced-") })
            #expect(try files(in: "\(home.directory)/\(aside)") == ["chat.db", "chat.db-wal"])
        }
    }

    private enum Harm: CaseIterable {
        case nothingThere, empty, text, cut, bitFlipped, newerVersion, otherTables, logBeside
    }

    @Test(arguments: Harm.allCases) private func onlyABackupIsRestored(_ harm: Harm) async throws {
        try await withStore { home, store in
            await store.append((0..<200).map { _ in drafts.next(String(repeating: "x", count: 2000)) }, to: "a")
            let path = home.directory + "/copy"
            _ = try await store.backUp(to: path)
            await store.close()
            try inflict(harm, on: path)
            let before = try files(in: home.directory)
            let error = #expect(throws: StoreError.self) { try SQLiteStore.restore(path, into: home.directory) }
            let reason = try #require(error?.rejectedReason)
            #expect(reason.contains(path))
            if harm == .newerVersion { #expect(reason.contains("version 999")) }
            #expect(try files(in: home.directory) == before)
            let opened = try home.openSQLite()
            #expect(try await opened.lastSequences(of: ["a"]) == ["a": 200])
            await opened.close()
        }
    }

    private func inflict(_ harm: Harm, on path: String) throws {
        let url = URL(fileURLWithPath: path)
        switch harm {
        case .nothingThere: try FileManager.default.removeItem(atPath: path)
        case .empty: try Data().write(to: url)
        case .text: try Data("a backup".utf8).write(to: url)
        case .cut: try Data(contentsOf: url).prefix(100_000).write(to: url)
        case .bitFlipped:
            var bytes = try Data(contentsOf: url)
            for page in 10..<20 { bytes[page * 4096 + 3] ^= 0x55 }
            try bytes.write(to: url)
        case .newerVersion: try change(path, "PRAGMA user_version = 999")
        case .otherTables: try change(path, "DROP TABLE outbox")
        case .logBeside: try Data("log".utf8).write(to: URL(fileURLWithPath: path + "-wal"))
        }
    }

    private func change(_ path: String, _ sql: String) throws {
        try SQLiteConnection(path: path, mode: .readWrite).execute(sql)
    }
}
