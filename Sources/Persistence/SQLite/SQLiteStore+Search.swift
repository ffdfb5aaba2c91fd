public import ChatDomain

extension SQLiteStore {
    public func search(_ search: MessageSearch) async throws(StoreError) -> SearchPage {
        try await read { [unmoved] connection throws(StoreError) in
            let unmoved = unmoved.snapshot()
            return try connection.consistently { () throws(StoreError) in
                var run = SearchRun(search, unmoved: unmoved, on: connection)
                return try run.page()
            }
        }
    }

    /// Messages that one pass over their table finds, and messages that a transaction gives positions.
    private static let backlogPass = 65_536
    private static let backlogSlice = 256

    /// Gives the messages of an older file their positions in the index, going back in time, and its users their words, beside all
    /// other work. After a restart it goes on where it was.
    func indexBacklog() async {
        do throws(StoreError) {
            while let place = try await read({ connection throws(StoreError) in try connection.searchBacklog() }) {
                let keys = try await read { connection throws(StoreError) in
                    try connection.keys(behind: place, limit: Self.backlogPass)
                }
                let isLast = keys.count < Self.backlogPass
                var rest = keys[...]
                repeat {
                    let slice = rest.prefix(Self.backlogSlice)
                    rest = rest.dropFirst(slice.count)
                    let next = rest.isEmpty && isLast ? nil : slice.last ?? place
                    try await write { session throws(StoreError) in
                        try session.indexOlder(slice.map(\.key), next: next)
                    }
                } while !rest.isEmpty
            }
            while true {
                let users = try await read { connection throws(StoreError) in
                    try connection.usersWithoutWords(limit: Self.backlogSlice)
                }
                guard !users.isEmpty else { return }
                try await write { session throws(StoreError) in
                    for user in users { try session.connection.indexWords(of: user) }
                }
            }
        } catch {
            // Until the next start, what is left is not found.
        }
    }
}
