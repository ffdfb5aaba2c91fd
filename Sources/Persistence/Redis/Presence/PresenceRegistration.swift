import ChatDomain

/// The sessions and places in rooms that were here when a registration began, and how many of them Redis has been sent.
struct PresenceRegistration {
    /// Sessions, or places, of one slice. A connection may have more commands on its way.
    static let sliceSize = 1000

    private var sessions: ArraySlice<SessionID>
    private var places: ArraySlice<RoomPlace>

    init(of local: LocalPresence) {
        sessions = local.records.map(\.id)[...]
        places = local.allPlaces[...]
    }

    /// The next sessions or places as they are now, without those that are gone; nil after the last.
    mutating func nextSlice(of local: LocalPresence) -> (records: [SessionRecord], places: [RoomPlace])? {
        while !sessions.isEmpty {
            let slice = Set(sessions.prefix(Self.sliceSize))
            sessions = sessions.dropFirst(Self.sliceSize)
            let records = local.records.filter { slice.contains($0.id) }
            if !records.isEmpty { return (records, []) }
        }
        while !places.isEmpty {
            let slice = places.prefix(Self.sliceSize).filter { local.contains($0) }
            places = places.dropFirst(Self.sliceSize)
            if !slice.isEmpty { return ([], slice) }
        }
        return nil
    }
}
