public import ChatDomain

extension MongoStore {
    private static let updatesPerCommand = 1000

    public func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile] {
        guard !users.isEmpty else { return [:] }
        return try await run { connection throws(MongoError) in
            var profiles: [UserID: Profile] = [:]
            for document in try connection.find(MongoSchema.profiles, ["_id": ["$in": .strings(users)]]) {
                if let user = document["_id"]?.text { profiles[UserID(unchecked: user)] = document.profile }
            }
            return profiles
        }
    }

    public func update(_ user: UserID, _ profile: Profile) async throws(StoreError) {
        // An update has to change something, even one that only makes the document.
        var changes: BSONDocument = ["known": true]
        changes["name"] = profile.name.map { .string($0) }
        changes["username"] = profile.username.map { .string($0) }
        changes["email"] = profile.email.map { .string($0) }
        changes["avatar"] = profile.avatar.map { .string($0) }
        changes["lastSeen"] = profile.lastSeen.map { .date($0) }
        let update: BSONDocument = ["q": ["_id": .string(user)], "u": ["$set": .document(changes)], "upsert": true]
        try await run { connection throws(MongoError) in
            try connection.upsert(MongoSchema.profiles, [update])
            try connection.addWords(ofUsers: ["_id": .string(user)])
        }
    }

    public func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError) {
        guard !seen.isEmpty else { return }
        let updates = seen.map { user, time -> BSONDocument in
            ["q": ["_id": .string(user)], "u": ["$max": ["lastSeen": .date(time)]], "upsert": true]
        }
        try await run { connection throws(MongoError) in
            for slice in updates.slices(of: Self.updatesPerCommand) {
                try connection.upsert(MongoSchema.profiles, slice)
            }
            for slice in Array(seen.keys).slices(of: Self.updatesPerCommand) {
                try connection.addWords(ofUsers: ["_id": ["$in": .strings(slice)], "words": nil])
            }
        }
    }

    public func people(
        _ query: PeopleQuery, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        guard limit > 0 else { return [] }
        let conditions = query.words.map { word -> BSONDocument in ["words": ["$regex": .string("^" + word.value)]] }
        return try await run { connection throws(MongoError) in
            try connection.find(
                MongoSchema.profiles, ["_id": ["$type": "string"], "$and": .documents(conditions)],
                ["sort": ["_id": 1], "limit": .int64(Int64(limit))]
            ).compactMap { document in
                document["_id"]?.text.map { (user: UserID(unchecked: $0), profile: document.profile) }
            }
        }
    }

    public func knownUsers(
        after cursor: UserID?, limit: Int
    ) async throws(StoreError) -> [(user: UserID, profile: Profile)] {
        guard limit > 0 else { return [] }
        return try await run { connection throws(MongoError) in
            let found = try connection.find(
                MongoSchema.profiles, ["_id": ["$type": "string", "$gt": .string(cursor?.value ?? "")]],
                ["sort": ["_id": 1], "limit": .int64(Int64(limit))])
            return found.compactMap { document in
                document["_id"]?.text.map { (user: UserID(unchecked: $0), profile: document.profile) }
            }
        }
    }

    public func friends(of user: UserID) async throws(StoreError) -> Set<UserID> {
        try await run { connection throws(MongoError) in
            let found = try connection.find(MongoSchema.friends, ["userId": .string(user)])
            return Set(found.compactMap { $0["friendId"]?.text.map { UserID(unchecked: $0) } })
        }
    }

    public func befriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        let updates = Self.friendships(a, b).map { pair -> BSONDocument in
            ["q": .document(pair), "u": ["$set": .document(pair)], "upsert": true]
        }
        try await run { connection throws(MongoError) in try connection.upsert(MongoSchema.friends, updates) }
    }

    public func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError) {
        let friendships = Self.friendships(a, b)
        try await run { connection throws(MongoError) in
            _ = try connection.delete(MongoSchema.friends, friendships)
        }
    }

    /// Friendship is mutual and stored once in each direction.
    private static func friendships(_ a: UserID, _ b: UserID) -> [BSONDocument] {
        [(a, b), (b, a)].map { ["userId": .string($0), "friendId": .string($1)] }
    }
}

extension MongoConnection {
    /// Stores the words that users are found by.
    ///
    /// - Returns: how many users matched.
    @discardableResult
    func addWords(ofUsers filter: BSONDocument, limit: Int64 = 0) throws(MongoError) -> Int {
        let found = try find(MongoSchema.profiles, filter, ["limit": .int64(limit)])
        let updates = found.compactMap { document -> BSONDocument? in
            guard let id = document["_id"] else { return nil }
            let words = PeopleQuery.words(of: UserID(unchecked: id.identifier ?? ""), document.profile).sorted()
            return ["q": ["_id": id], "u": ["$set": ["words": .strings(words)]]]
        }
        if !updates.isEmpty { try update(MongoSchema.profiles, updates) }
        return found.count
    }
}

extension BSONDocument {
    fileprivate var profile: Profile {
        Profile(
            name: self["name"]?.text, username: self["username"]?.text, email: self["email"]?.text,
            avatar: self["avatar"]?.text, lastSeen: self["lastSeen"]?.timestamp)
    }
}
