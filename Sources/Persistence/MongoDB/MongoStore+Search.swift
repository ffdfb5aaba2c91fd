public import ChatDomain

extension MongoStore {
    public func search(_ search: MessageSearch) async throws(StoreError) -> SearchPage {
        try await run { connection throws(MongoError) in try connection.search(search) }
    }

    private static let messagesPerSlice: Int64 = 200

    /// Gives words to messages and users that older programs stored, beside all other work. After a restart it goes on behind those that
    /// it has seen.
    func indexBacklog() async {
        for kind in MongoSchema.IDKind.allCases {
            do throws(StoreError) {
                guard var range = try await run({ connection throws(MongoError) in try connection.wordless(kind) })
                else { continue }
                while !range.isEmpty {
                    range = try await run { [range] connection throws(MongoError) in
                        try connection.addWords(range, limit: Self.messagesPerSlice)
                    }
                }
            } catch {
                // Until the next start, the messages left are not found.
            }
        }
        do throws(StoreError) {
            while try await run({ connection throws(MongoError) in
                try connection.addWords(ofUsers: ["words": nil], limit: Self.messagesPerSlice)
            }) > 0 {}
        } catch {
            // Likewise, of users.
        }
    }
}
