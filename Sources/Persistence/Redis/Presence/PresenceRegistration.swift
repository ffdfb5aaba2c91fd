import ChatDomain

/// The users with sessions and the places in rooms that were here when a registration began, and how many of them Redis has been
/// sent.
struct PresenceRegistration {
    /// Sessions, or places, of one slice, and a user's other sessions beyond it. The loop of the connection encodes it in one go.
    static let sliceSize = 200

    private var users: ArraySlice<UserID>
    private var places: ArraySlice<RoomPlace>

    init(of local: LocalPresence) {
        users = local.all.map(\.user.userID)[...]
        places = local.allPlaces[...]
    }

    /// The next sessions or places as they are now, without those that are gone; nil after the last.
    mutating func nextSlice(of local: LocalPresence) -> (records: [SessionRecord], places: [RoomPlace])? {
        var records: [SessionRecord] = []
        while records.count < Self.sliceSize, let user = users.popFirst() { records += local.records(of: user) }
        if !records.isEmpty { return (records, []) }
        while !places.isEmpty {
            let slice = places.prefix(Self.sliceSize).filter { local.contains($0) }
            places = places.dropFirst(Self.sliceSize)
            if !slice.isEmpty { return ([], slice) }
        }
        return nil
    }
}
