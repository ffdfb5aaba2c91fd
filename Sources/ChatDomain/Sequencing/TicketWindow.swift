/// Ascending tickets of one sender, each taken once although they arrive out of order, repeated or late.
struct TicketWindow: Sendable {
    /// A ticket that is this much older than the newest one counts as taken.
    private static let size: UInt64 = 4096

    private var newest: UInt64 = 0
    private var recent: Set<UInt64> = []

    /// Whether the ticket is new.
    mutating func take(_ ticket: UInt64) -> Bool {
        guard newest < Self.size || ticket > newest - Self.size, recent.insert(ticket).inserted else { return false }
        newest = max(newest, ticket)
        if recent.count > 2 * Int(Self.size) {
            recent = recent.filter { newest < Self.size || $0 > newest - Self.size }
        }
        return true
    }
}
