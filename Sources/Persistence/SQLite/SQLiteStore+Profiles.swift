public import ChatDomain

extension SQLiteStore {
    public func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile] {
        try await read { connection throws(StoreError) in
            var profiles: [UserID: Profile] = [:]
            for user in users {
                let found = try connection.statement(
                    "SELECT id, name, username, email, avatar, last_seen FROM users WHERE id = ?"
                ).bind(1, user.value).first { $0.profile }
                profiles[user] = found
            }
            return profiles
        }
    }

    public func update(_ user: UserID, _ profile: Profile) async throws(StoreError) {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                """
                INSERT INTO users(id, name, username, email, avatar, last_seen) VALUES(?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET name = coalesce(excluded.name, name),
                    username = coalesce(excluded.username, username), email = coalesce(excluded.email, email),
                    avatar = coalesce(excluded.avatar, avatar), last_seen = coalesce(excluded.last_seen, last_seen)
                """
            ).bind(1, user.value).bind(2, profile.name).bind(3, profile.username).bind(4, profile.email)
                .bind(5, profile.avatar).bind(6, profile.lastSeen?.milliseconds).run()
            try session.connection.indexWords(of: user)
        }
    }

    public func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError) {
        try await write { session throws(StoreError) in
            for (user, time) in seen {
                try session.connection.statement(
                    """
                    INSERT INTO users(id, last_seen) VALUES(?, ?)
                    ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen
                    WHERE excluded.last_seen > coalesce(last_seen, -9223372036854775808)
                    """
                ).bind(1, user.value).bind(2, time.milliseconds).run()
                try session.connection.indexWordsOfNewUser(user)
            }
        }
    }

    public func knownUsers(
        after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        try await read { connection throws(StoreError) in
            try connection.statement(
                "SELECT id, name, username, email, avatar, last_seen FROM users WHERE id > ? ORDER BY id LIMIT ?"
            ).bind(1, cursor?.value ?? "").bind(2, Int64(limit)).rows { row in
                (user: UserID(unchecked: row.text(0)), profile: row.profile)
            }
        }
    }

    public func people(
        _ query: PeopleQuery, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        try await read { connection throws(StoreError) in
            var found: [(user: UserID, profile: Profile)] = []
            // Each row's words follow a space each.
            let first = " " + (query.words.first?.value ?? "")
            try connection.statement(
                """
                SELECT id, name, username, email, avatar, last_seen FROM users WHERE instr(words, ?) > 0 ORDER BY id
                """
            ).bind(1, first).each { row in
                let user = UserID(unchecked: row.text(0))
                if query.matches(user, row.profile) { found.append((user, row.profile)) }
                return found.count < limit
            }
            return found
        }
    }

    public func friends(of user: UserID) async throws(StoreError) -> Set<UserID> {
        try await read { connection throws(StoreError) in
            Set(
                try connection.statement("SELECT friend FROM friends WHERE user = ?").bind(1, user.value)
                    .rows { row -> UserID? in UserID(unchecked: row.text(0)) })
        }
    }

    public func befriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                "INSERT INTO friends(user, friend) VALUES(?1, ?2), (?2, ?1) ON CONFLICT DO NOTHING"
            ).bind(1, a.value).bind(2, b.value).run()
        }
    }

    public func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        try await write { session throws(StoreError) in
            try session.connection.statement(
                "DELETE FROM friends WHERE (user, friend) IN (VALUES(?1, ?2), (?2, ?1))"
            ).bind(1, a.value).bind(2, b.value).run()
        }
    }
}

extension SQLiteConnection {
    /// Users that have no words yet: an older program stored them.
    func usersWithoutWords(limit: Int) throws(StoreError) -> [UserID] {
        try statement("SELECT id FROM users WHERE words IS NULL LIMIT ?").bind(1, Int64(limit))
            .rows { UserID(unchecked: $0.text(0)) }
    }

    fileprivate func indexWordsOfNewUser(_ user: UserID) throws(StoreError) {
        let isNew = try statement("SELECT words IS NULL FROM users WHERE id = ?").bind(1, user.value)
            .first { $0.integer(0) != 0 }
        if isNew ?? false { try indexWords(of: user) }
    }

    /// Notes what the user is found by.
    func indexWords(of user: UserID) throws(StoreError) {
        let profile = try statement("SELECT id, name, username, email, avatar, last_seen FROM users WHERE id = ?")
            .bind(1, user.value).first { $0.profile }
        guard let profile else { return }
        let words = PeopleQuery.words(of: user, profile).sorted().map { " " + $0.value }.joined()
        try statement("UPDATE users SET words = ? WHERE id = ?").bind(1, words).bind(2, user.value).run()
    }
}

extension Row {
    /// Columns 1…5: name, username, email, avatar, last_seen.
    fileprivate var profile: Profile {
        Profile(
            name: optionalText(1), username: optionalText(2), email: optionalText(3), avatar: optionalText(4),
            lastSeen: optionalInteger(5).map { Timestamp(milliseconds: $0) })
    }
}
