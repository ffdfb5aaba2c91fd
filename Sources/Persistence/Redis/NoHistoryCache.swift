import ChatDomain

/// The cache of an instance without Redis: the embedded store is as near as a cache would be.
public struct NoHistoryCache: HistoryCache {
    public init() {}

    public func append(_ messages: [Message], to room: RoomID) {}
    public func history(of room: RoomID, _ query: HistoryQuery, newest: SequenceNumber) async -> HistoryPage? { nil }
    public func fill(_ room: RoomID, with newest: [Message]) {}
    public func drop(_ room: RoomID) {}
}
