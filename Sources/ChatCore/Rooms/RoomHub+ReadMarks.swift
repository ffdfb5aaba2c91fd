import ChatProtocol
import ChatDomain

/// How far users have read.
extension RoomHub {
    /// A mark beyond the newest message known here may be of one that another instance has just stored: the store knows.
    func markRead(_ session: SessionAddress, _ sequence: SequenceNumber, _ origin: RequestOrigin, in room: HomeRoom) {
        guard let newest = room.live?.lastSequence, sequence > newest else {
            return mark(session, sequence, origin, newest: 0, in: room)
        }
        room.distantMarks.append((origin, session, sequence))
        if room.distantMarks.count == 1 { findNewest(in: room) }
    }

    private func findNewest(in room: HomeRoom) {
        let id = room.id
        context.withStore({ (store) async throws(StoreError) in try await store.lastSequences(of: [id])[id] ?? 0 }) {
            [unowned self] result in
            let marks = room.distantMarks
            room.distantMarks = []
            guard rooms[id] === room, room.live != nil else {
                for each in marks { reply(.refused(.roomUnavailable), to: each.origin) }
                return
            }
            switch result {
            case .success(let newest):
                announced(newest, in: id)
                for each in marks { mark(each.session, each.sequence, each.origin, newest: newest, in: room) }
            case .failure:
                for each in marks { reply(.refused(.storageUnavailable), to: each.origin) }
            }
            followUp(room)
        }
    }

    private func mark(
        _ session: SessionAddress, _ sequence: SequenceNumber, _ origin: RequestOrigin, newest: SequenceNumber,
        in room: HomeRoom
    ) {
        let now = context.now.monotonic
        finish(
            room.live?.markRead(session, sequence: sequence, newest: newest, origin: origin, at: now), origin, in: room)
    }
}
