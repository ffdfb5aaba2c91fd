/// The users in a room on other instances, as those last said. Each instance speaks only for its own users.
public struct RemoteRoster: Sendable {
    private var instances: [InstanceID: [UserID: RoomUser]] = [:]
    /// On how many other instances a user is.
    private var holders: [UserID: Int] = [:]
    /// Instances that have not spoken since contact was lost.
    private var doubtful: Set<InstanceID> = []
    /// Rounds since the last digest of each instance that sends digests.
    private var silence: [InstanceID: Int] = [:]
    /// Rounds an instance may be silent: two, and one that had just begun.
    private static let silentRounds = 3

    public init() {}

    /// Users on other instances, each once.
    public var count: Int { holders.count }
    public var isEmpty: Bool { holders.isEmpty }
    public func contains(_ user: UserID) -> Bool { holders[user] != nil }

    func user(_ id: UserID) -> RoomUser? {
        contains(id) ? instances.values.lazy.compactMap { $0[id] }.first : nil
    }

    /// Some of the users, for a list that has room for `limit`.
    func list(limit: Int, where isWanted: (UserID) -> Bool) -> [RoomUser] {
        var seen: Set<UserID> = []
        var list: [RoomUser] = []
        for users in instances.values {
            for user in users.values where list.count < limit && isWanted(user.userID) {
                if seen.insert(user.userID).inserted { list.append(user) }
            }
        }
        return list
    }

    /// Whether the user was on no other instance before.
    mutating func add(_ user: RoomUser, of instance: InstanceID) -> Bool {
        guard instances[instance]?[user.userID]?.update(user) == nil else { return false }
        instances[instance, default: [:]][user.userID] = user
        holders[user.userID, default: 0] += 1
        return holders[user.userID] == 1
    }

    /// The user, if this was the last of the other instances they were on.
    mutating func remove(_ user: UserID, of instance: InstanceID) -> RoomUser? {
        guard let known = instances[instance]?.removeValue(forKey: user) else { return nil }
        if instances[instance]?.isEmpty == true { instances[instance] = nil }
        guard let count = holders[user], count > 1 else {
            holders[user] = nil
            return known
        }
        holders[user] = count - 1
        return nil
    }

    /// An instance is gone: its users that are on no other one.
    mutating func drop(_ instance: InstanceID) -> [RoomUser] {
        doubtful.remove(instance)
        silence[instance] = nil
        return (instances[instance] ?? [:]).keys.compactMap { remove($0, of: instance) }
    }

    /// The digest of the users known of an instance.
    func digest(of instance: InstanceID) -> RosterDigest { RosterDigest((instances[instance] ?? [:]).keys) }

    /// The instance sent its digest.
    mutating func spoke(_ instance: InstanceID) { silence[instance] = 0 }

    /// Another round begins; the users of instances that were silent for too long and are on no other.
    mutating func endRound() -> [RoomUser] {
        for instance in silence.keys { silence[instance, default: 0] += 1 }
        let silent = silence.filter { $0.value >= Self.silentRounds }.keys
        return silent.flatMap { drop($0) }
    }

    /// Takes an instance's complete list.
    ///
    /// - Returns: users that are on no instance any more, and users that are new.
    mutating func replace(_ users: [RoomUser], of instance: InstanceID) -> (gone: [RoomUser], new: [RoomUser]) {
        doubtful.remove(instance)
        let present = Set(users.map(\.userID))
        let gone = (instances[instance] ?? [:]).keys.filter { !present.contains($0) }
            .compactMap { remove($0, of: instance) }
        return (gone, users.filter { add($0, of: instance) })
    }

    /// Contact was lost: an instance that does not speak again is dropped by `dropDoubtful`.
    mutating func doubtEverybody() { doubtful = Set(instances.keys) }

    mutating func dropDoubtful() -> [RoomUser] { doubtful.flatMap { drop($0) } }
}
