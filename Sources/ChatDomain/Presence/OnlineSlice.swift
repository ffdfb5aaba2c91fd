/// A part of the list of users that others see online, ordered by id.
public struct OnlineSlice: Sendable {
    public var users: [UserPresence]
    /// The next part begins after this user; nil at the end.
    public var next: UserID?
    /// How many users the whole list has.
    public var count: Int

    public init(users: [UserPresence] = [], next: UserID? = nil, count: Int) {
        self.users = users
        self.next = next
        self.count = count
    }
}

extension RandomAccessCollection<UserID> where Index == Int {
    /// Where a user stands in this ordered list, or would stand.
    public func place(of user: UserID) -> Int { firstIndex(notBefore: { $0 < user }) }
}
