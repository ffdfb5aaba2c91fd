import ChatDomain
import Foundation

@testable import PersistenceSQLite

extension SteppedStore {
    func makeRoom(_ id: RoomID) throws {
        _ = try transaction { try session.create(.group(id), participants: ["ann"]) }
    }

    /// Messages of room `a` in their table; unless the test says otherwise `n<number> even` or `n<number> odd`.
    func fill(
        _ count: Int, _ drafts: Drafts, text: (Int) -> String = { "n\($0) \($0.isMultiple(of: 2) ? "even" : "odd")" }
    ) throws {
        try makeRoom("a")
        for numbers in stride(from: 1, through: count, by: 100) {
            _ = try append(
                (numbers..<(numbers + 100)).map { drafts.next(text($0)) }, to: "a")
        }
        try moveAll()
    }

    func search(_ query: String, limit: Int = 20, cursor: SearchCursor? = nil) throws -> SearchPage {
        try search(MessageSearch(SearchQuery(parsing: query), reader: "ann", at: .at(1), cursor: cursor, limit: limit))
    }

    /// The texts of all pages.
    func searchAll(_ query: String, limit: Int = 20) throws -> [String] {
        var texts: [String] = []
        var cursor: SearchCursor?
        repeat {
            let page = try search(query, limit: limit, cursor: cursor)
            texts += page.messages.map(\.body.text)
            cursor = page.cursor
        } while cursor != nil && texts.count < 10_000
        return texts
    }

    /// Changes a message of the only room in its table and in the index.
    func change(_ number: SequenceNumber, _ old: String, to new: String?) throws {
        try transaction {
            let key = Schema.messageKey(room: 1, number)
            try session.connection.statement("UPDATE messages SET text = ? WHERE key = ?").bind(1, new ?? "").bind(
                2, key
            )
            .run()
            try session.reindex(key, author: "ann", from: old, to: new)
        }
    }

    /// Those of these texts that the file holds once its log is copied and emptied.
    func left(of texts: [String]) throws -> [String] {
        try session.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        let contents = try Data(contentsOf: URL(filePath: path))
        let log = try Data(contentsOf: URL(filePath: path + "-wal"))
        return texts.filter { text in
            [contents, log].contains { $0.range(of: Data(text.utf8)) != nil }
        }
    }
}
