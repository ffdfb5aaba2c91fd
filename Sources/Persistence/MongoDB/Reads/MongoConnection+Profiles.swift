import ChatDomain

extension MongoConnection {
    func profiles(of users: [UserID]) throws(MongoError) -> [UserID: Profile] {
        guard !users.isEmpty else { return [:] }
        var profiles: [UserID: Profile] = [:]
        for document in try find(MongoSchema.profiles, ["_id": ["$in": .strings(users)]]) {
            if let user = document["_id"]?.text { profiles[UserID(unchecked: user)] = document.profile }
        }
        return profiles
    }

    func update(_ user: UserID, _ profile: Profile) throws(MongoError) {
        // An update has to change something, also one that only makes the profile.
        var changes: BSONDocument = ["known": true]
        changes["name"] = profile.name.map { .string($0) }
        changes["username"] = profile.username.map { .string($0) }
        changes["email"] = profile.email.map { .string($0) }
        changes["avatar"] = profile.avatar.map { .string($0) }
        changes["lastSeen"] = profile.lastSeen.map { .date($0) }
        try upsert(
            MongoSchema.profiles, [["q": ["_id": .string(user)], "u": ["$set": .document(changes)], "upsert": true]])
    }

    func recordLastSeen(_ seen: [UserID: Timestamp]) throws(MongoError) {
        let updates = seen.map { user, time -> BSONDocument in
            ["q": ["_id": .string(user)], "u": ["$max": ["lastSeen": .date(time)]], "upsert": true]
        }
        for start in stride(from: 0, to: updates.count, by: 1000) {
            try upsert(MongoSchema.profiles, Array(updates[start..<min(start + 1000, updates.count)]))
        }
    }

    func knownUsers(after cursor: UserID?, limit: Int) throws(MongoError) -> [(user: UserID, profile: Profile)] {
        guard limit > 0 else { return [] }
        let found = try find(
            MongoSchema.profiles, ["_id": ["$type": "string", "$gt": .string(cursor?.value ?? "")]],
            ["sort": ["_id": 1], "limit": .int64(Int64(limit))])
        return found.compactMap { document in
            document["_id"]?.text.map { (user: UserID(unchecked: $0), profile: document.profile) }
        }
    }

    func friends(of user: UserID) throws(MongoError) -> Set<UserID> {
        let found = try find(MongoSchema.friends, ["userId": .string(user)])
        return Set(found.compactMap { $0["friendId"]?.text.map { UserID(unchecked: $0) } })
    }

    func befriend(_ a: UserID, _ b: UserID) throws(MongoError) {
        try upsert(
            MongoSchema.friends,
            [(a, b), (b, a)].map { user, friend -> BSONDocument in
                let pair: BSONValue = ["userId": .string(user), "friendId": .string(friend)]
                return ["q": pair, "u": ["$set": pair], "upsert": true]
            })
    }

    func unfriend(_ a: UserID, _ b: UserID) throws(MongoError) {
        try delete(
            MongoSchema.friends,
            [
                ["userId": .string(a), "friendId": .string(b)], ["userId": .string(b), "friendId": .string(a)],
            ])
    }

    /// Two upserts of the same document at once: one is refused by the index, and then finds the other's.
    private func upsert(_ collection: String, _ updates: [BSONDocument]) throws(MongoError) {
        let reply = try write(["update": .string(collection), "ordered": false, "updates": .documents(updates)])
        guard let errors = reply["writeErrors"]?.array, !errors.isEmpty else { return }
        let again = errors.compactMap { $0.document?.index(below: updates.count) }
        try update(collection, again.isEmpty ? updates : again.map { updates[$0] })
    }
}

extension BSONDocument {
    fileprivate var profile: Profile {
        Profile(
            name: self["name"]?.text, username: self["username"]?.text, email: self["email"]?.text,
            avatar: self["avatar"]?.text, lastSeen: self["lastSeen"]?.timestamp)
    }
}
