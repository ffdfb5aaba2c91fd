/// A digest of a set of users, in any order: sets that differ have digests that differ, but for once in 2^64.
public struct RosterDigest: Hashable, Sendable {
    public var count: Int
    public var sum: UInt64

    public init(count: Int, sum: UInt64) {
        self.count = count
        self.sum = sum
    }

    /// The sum of FNV-1a over the ids' bytes, the same in every process.
    public init(_ users: some Sequence<UserID>) {
        (count, sum) = (0, 0)
        for user in users {
            count += 1
            sum &+= user.value.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        }
    }
}
