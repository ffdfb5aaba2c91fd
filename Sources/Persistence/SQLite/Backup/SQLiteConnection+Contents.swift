import ChatDomain

/// The counts of a store's file, for comparing a copy with its original.
public struct StoreContents: Equatable, Sendable {
    public var rooms: Int
    public var messages: Int
    public var users: Int

    public init(rooms: Int, messages: Int, users: Int) {
        self.rooms = rooms
        self.messages = messages
        self.users = users
    }
}

extension SQLiteConnection {
    func contents() throws(StoreError) -> StoreContents {
        let unmoved = try countUnmoved()
        let found = try statement(
            """
            SELECT (SELECT count(*) FROM rooms WHERE state = 1), (SELECT count(*) FROM messages),
                (SELECT count(*) FROM users)
            """
        ).first { row in
            StoreContents(
                rooms: Int(row.integer(0)), messages: Int(row.integer(1)) + unmoved, users: Int(row.integer(2)))
        }
        return found ?? StoreContents(rooms: 0, messages: 0, users: 0)
    }

    /// Reads the whole file: every page, every index against its table.
    ///
    /// - Throws: `.rejected` with the first fault found.
    func checkIntegrity() throws(StoreError) {
        let verdict = try statement("PRAGMA integrity_check(1)").first { $0.text(0) }
        guard verdict == "ok" else { throw .rejected(reason: "the file is damaged: \(verdict ?? "no answer")") }
    }

    /// Makes one file of the database, so that it needs no log beside it.
    func foldLog() throws(StoreError) {
        let mode = try statement("PRAGMA journal_mode = DELETE").first { $0.text(0) }
        guard mode == "delete" else {
            throw .unavailable(reason: "the log cannot be folded into the file: its mode stays \(mode ?? "unknown")")
        }
    }
}
