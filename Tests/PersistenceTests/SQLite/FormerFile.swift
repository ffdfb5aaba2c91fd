import Foundation

@testable import PersistenceSQLite

/// A store's file as an earlier version of this program wrote it.
struct FormerFile {
    private let version: Int

    init(_ version: Int) { self.version = version }

    /// Writes the contents of a store into such a file.
    ///
    /// - Parameter change: SQL that runs on the file at its end.
    func write(from store: SQLiteHome, to home: SQLiteHome, change: String = "") throws {
        try FileManager.default.createDirectory(atPath: home.directory, withIntermediateDirectories: true)
        let file = try SQLiteConnection(path: home.directory + "/chat.db", mode: .readWrite)
        try file.execute("PRAGMA journal_mode = WAL")
        try Schema.migrate(file, to: version)
        try file.execute("ATTACH '\(store.directory)/chat.db' AS new")
        var tables = ["rooms", "messages", "participants", "read_marks"]
        if version >= 2 { tables.append("journal") }
        if version >= 3 { tables += ["message_ids", "message_states", "changes"] }
        if version >= 5 { tables += ["search_postings", "search_segments"] }
        for table in tables {
            let columns = try file.columns(of: table)
            try file.execute("INSERT INTO \(table)(\(columns)) SELECT \(columns) FROM new.\(table)")
        }
        if version >= 5 {
            try file.execute(
                """
                INSERT INTO search_documents(position, key)
                SELECT position, key FROM new.search_places UNION ALL SELECT position, key FROM new.search_documents
                """)
        }
        try file.execute("DETACH new")
        try file.execute(change)
    }
}

extension SQLiteConnection {
    fileprivate func columns(of table: String) throws -> String {
        try statement("SELECT group_concat(name) FROM pragma_table_info(?)").bind(1, table).first { $0.text(0) } ?? ""
    }
}
