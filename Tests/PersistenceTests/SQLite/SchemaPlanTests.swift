import ChatDomain
import Foundation
import Testing

@testable import PersistenceSQLite

/// What the next start would change in a store's file, found out without changing it.
@Suite struct SchemaPlanTests {
    private func withHome(_ body: (SQLiteHome) async throws -> Void) async throws {
        let home = try SQLiteHome()
        defer { home.remove() }
        try await body(home)
    }

    private func contents(of directory: String) throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
            contents[name] = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
        }
        return contents
    }

    @Test func withoutAStoreEverythingWouldBeMade() async throws {
        try await withHome { home in
            let plan = try SQLiteStore.schemaPlan(directory: home.directory + "/none")
            #expect(plan.version == nil && plan.newest == Schema.newestVersion && !plan.isInUse)
            #expect(plan.changes.contains("make table messages"))
            #expect(!FileManager.default.fileExists(atPath: home.directory + "/none"))
        }
    }

    @Test func anOlderFileIsPlannedAndNotTouched() async throws {
        try await withHome { home in
            try FileManager.default.createDirectory(atPath: home.directory, withIntermediateDirectories: true)
            let file = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
            // The version is in the log, which is not copied back: it has to be read too.
            try file.execute("PRAGMA journal_mode = WAL")
            try Schema.migrate(file, to: 3)
            let before = try contents(of: home.directory)
            #expect((before["chat.db-wal"]?.count ?? 0) > 0)
            let copy = home.directory + "-copy"
            try FileManager.default.copyItem(atPath: home.directory, toPath: copy)
            defer { try? FileManager.default.removeItem(atPath: copy) }
            let plan = try SQLiteStore.schemaPlan(directory: copy)
            #expect(plan.version == 3)
            #expect(plan.changes.contains("make table standings") && plan.changes.contains("make index flags_by_user"))
            #expect(plan.changes.contains("add column slow_mode to table rooms"))
            #expect(!plan.changes.contains("make table messages"))
            #expect(try contents(of: copy) == before)
        }
    }

    @Test func anOpenStoreIsPlannedWithoutItsLock() async throws {
        try await withHome { home in
            let store = try home.openSQLite()
            let plan = try SQLiteStore.schemaPlan(directory: home.directory)
            #expect(plan.isInUse)
            await store.close()
            let later = try SQLiteStore.schemaPlan(directory: home.directory)
            #expect(
                later
                    == SchemaPlan(
                        version: Schema.newestVersion, newest: Schema.newestVersion, changes: [], isInUse: false))
        }
    }

    @Test func filesOfNewerProgramsAndOtherFilesAreRefused() async throws {
        try await withHome { home in
            await (try home.openSQLite()).close()
            let path = home.directory + "/chat.db"
            do {
                let file = try SQLiteConnection(path: path, mode: .readWrite)
                try file.execute("PRAGMA user_version = 99")
            }
            #expect(throws: StoreError.rejected(reason: Schema.unknownVersion(99))) {
                try SQLiteStore.schemaPlan(directory: home.directory)
            }
            try Data("no database".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: StoreError.self) { try SQLiteStore.schemaPlan(directory: home.directory) }
            #expect(throws: StoreError.self) { try Files.schemaVersion(ofDatabase: path) }
        }
    }
}
