import ChatDomain

extension SQLiteConnection {
    func profiles(of users: [UserID]) throws(StoreError) -> [UserID: Profile] {
        var profiles: [UserID: Profile] = [:]
        for user in users {
            let found = try statement("SELECT id, name, username, email, avatar, last_seen FROM users WHERE id = ?")
                .bind(1, user.value).first { $0.profile }
            profiles[user] = found
        }
        return profiles
    }

    func friends(of user: UserID) throws(StoreError) -> Set<UserID> {
        Set(
            try statement("SELECT friend FROM friends WHERE user = ?").bind(1, user.value)
                .rows { row -> UserID? in UserID(unchecked: row.text(0)) })
    }

    func knownUsers(after cursor: UserID?, limit: Int) throws(StoreError) -> [(user: UserID, profile: Profile)] {
        try statement(
            "SELECT id, name, username, email, avatar, last_seen FROM users WHERE id > ? ORDER BY id LIMIT ?"
        ).bind(1, cursor?.value ?? "").bind(2, Int64(limit)).rows { row in
            (user: UserID(unchecked: row.text(0)), profile: row.profile)
        }
    }
}

extension WriteSession {
    func update(_ user: UserID, _ profile: Profile) throws(StoreError) {
        try connection.statement(
            """
            INSERT INTO users(id, name, username, email, avatar, last_seen) VALUES(?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET name = coalesce(excluded.name, name),
                username = coalesce(excluded.username, username), email = coalesce(excluded.email, email),
                avatar = coalesce(excluded.avatar, avatar), last_seen = coalesce(excluded.last_seen, last_seen)
            """
        ).bind(1, user.value).bind(2, profile.name).bind(3, profile.username).bind(4, profile.email)
            .bind(5, profile.avatar).bind(6, profile.lastSeen?.milliseconds).run()
    }

    func befriend(_ a: UserID, _ b: UserID) throws(StoreError) {
        try connection.statement("INSERT INTO friends(user, friend) VALUES(?1, ?2), (?2, ?1) ON CONFLICT DO NOTHING")
            .bind(1, a.value).bind(2, b.value).run()
    }

    func unfriend(_ a: UserID, _ b: UserID) throws(StoreError) {
        try connection.statement("DELETE FROM friends WHERE (user, friend) IN (VALUES(?1, ?2), (?2, ?1))")
            .bind(1, a.value).bind(2, b.value).run()
    }

    func recordLastSeen(_ seen: [UserID: Timestamp]) throws(StoreError) {
        for (user, time) in seen {
            try connection.statement(
                """
                INSERT INTO users(id, last_seen) VALUES(?, ?)
                ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen
                WHERE excluded.last_seen > coalesce(last_seen, -9223372036854775808)
                """
            ).bind(1, user.value).bind(2, time.milliseconds).run()
        }
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
