extension ContiguousArray {
    /// Has room for another element. The array grows by a quarter: one that doubles has on average half as much free as it holds,
    /// and there are arrays of each room's members and of all sessions.
    mutating func makeRoomForOne() {
        if count == capacity { reserveCapacity(count + count / 4 + 2) }
    }
}
