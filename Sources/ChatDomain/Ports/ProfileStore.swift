/// The durable truth about people: profiles, friendships, when they were last seen.
public protocol ProfileStore: Sendable {
    func profiles(of users: [UserID]) async throws(StoreError) -> [UserID: Profile]
    /// Writes the fields that are not nil; makes the profile when there is none.
    func update(_ user: UserID, _ profile: Profile) async throws(StoreError)

    func friends(of user: UserID) async throws(StoreError) -> Set<UserID>
    /// Mutual and idempotent.
    func befriend(_ a: UserID, _ b: UserID) async throws(StoreError)
    /// Mutual and idempotent.
    func unfriend(_ a: UserID, _ b: UserID) async throws(StoreError)

    /// Keeps the later of what is stored and what is given, for many users at once.
    func recordLastSeen(_ seen: [UserID: Timestamp]) async throws(StoreError)

    /// Users the store knows a profile or a last-seen time of, ordered by id, after `cursor`.
    func knownUsers(after cursor: UserID?, limit: Int) async throws(StoreError) -> [(user: UserID, profile: Profile)]

    /// Users of those that `knownUsers` lists that a query matches, ordered by id.
    func people(_ query: PeopleQuery, limit: Int) async throws(StoreError) -> [(user: UserID, profile: Profile)]
}
