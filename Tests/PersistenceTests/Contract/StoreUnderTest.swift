import ChatDomain
import Foundation
import PersistenceSQLite

/// The databases the contract suite runs over.
enum StoreKind: String, CaseIterable, Sendable, CustomStringConvertible {
    case sqlite = "SQLite"
    case mongoDB = "MongoDB"

    var description: String { rawValue }

    /// A new, empty database.
    func makeHome() async throws -> any StoreHome {
        switch self {
        case .sqlite: try SQLiteHome()
        case .mongoDB: try await MongoHome()
        }
    }
}

/// A database that several stores open in turn.
protocol StoreHome: Sendable {
    func open(_ options: StoreOptions) async throws -> any DurableStore
    func remove() async
}

struct SQLiteHome: StoreHome {
    let directory: String

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/chat-store-\(UUID().uuidString)"
    }

    func open(_ options: StoreOptions) throws -> any DurableStore { try openSQLite(options) }

    func openSQLite(_ options: StoreOptions = StoreOptions()) throws -> SQLiteStore {
        try SQLiteStore(directory: directory, options: options, durability: .normal)
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }
}

/// Runs `body` on a new database, which is gone afterwards.
func withHome(_ kind: StoreKind, _ body: (any StoreHome) async throws -> Void) async throws {
    let home = try await kind.makeHome()
    do {
        try await body(home)
    } catch {
        await home.remove()
        throw error
    }
    await home.remove()
}

/// Runs `body` on a store over a new database.
func withStore(
    _ kind: StoreKind, _ options: StoreOptions = StoreOptions(), _ body: (any DurableStore) async throws -> Void
) async throws {
    try await withHome(kind) { home async throws in
        let store = try await home.open(options)
        do {
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}
