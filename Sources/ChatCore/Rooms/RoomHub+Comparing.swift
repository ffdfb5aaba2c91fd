import ChatDomain
import Synchronization

/// Comparing rooms with a store that was away, before anything more is numbered.
///
/// A store that was killed may come back without what it had acknowledged: one that does not flush, a primary that is rolled
/// back. Numbers that went on from what was delivered would leave holes in the history, and members would have seen what is
/// not there.
extension RoomHub {
    /// Rooms compared in one go.
    private static let slice = 50
    /// Between two attempts while the store fails.
    private static let pause: Duration = .milliseconds(250)

    var storeFailures: UInt64 { services.storeFailures.load(ordering: .relaxed) }

    /// Looks whether the store has what was delivered of these rooms. They are not written to meanwhile.
    func compare(_ rooms: ArraySlice<HomeRoom>) {
        guard !rooms.isEmpty else { return }
        let (slice, failures) = (Array(rooms.prefix(Self.slice)), storeFailures)
        for room in slice { room.isComparing = true }
        let delivered = slice.map { $0.live?.lastSequence ?? 0 }
        let ids = slice.map(\.id)
        context.withStore({ (store) async throws(StoreError) in try await store.lastSequences(of: ids) }) {
            [unowned self] result in
            guard let newest = try? result.get() else {
                context.loop.schedule(after: Self.pause) { [unowned self] in
                    for room in slice { resume(room) }
                }
                return
            }
            for (room, delivered) in zip(slice, delivered) {
                room.compared = failures
                judge(room, delivered: delivered, newest: newest[room.id] ?? 0)
                resume(room)
            }
        }
        compare(rooms.dropFirst(slice.count))
    }

    private func resume(_ room: HomeRoom) {
        room.isComparing = false
        followUp(room)
    }

    /// - Parameter delivered: how far the room was before the store was asked.
    private func judge(_ room: HomeRoom, delivered: SequenceNumber, newest: SequenceNumber) {
        guard rooms[room.id] === room, room.live?.isWriting == false else { return }
        guard newest < delivered else {
            room.live?.announced(lastSequence: newest, at: context.now.monotonic)
            return
        }
        perform(room.live?.rewind(to: newest) ?? [], in: room)
        share(.rewound(to: newest), in: room)
    }

    /// The sweep found less than was delivered: the room is looked at again, so that nothing is judged by one answer.
    func doubt(_ room: HomeRoom) {
        services.noteStoreFailure()
        if !room.isComparing, room.live?.isWriting == false { compare([room]) }
    }
}

extension RoomWriteOutcome.Draft {
    /// Whether the store was not there, or not able.
    var isStoreFailure: Bool {
        guard case .failed(let error) = self, error != .contended else { return false }
        if case .unavailable = error { return true } else { return false }
    }
}
