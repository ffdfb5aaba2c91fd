import ChatProtocol
import ChatDomain
import EventLoop

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
        shard.withStore({ (store) async throws(StoreError) in try await store.lastSequences(of: [id])[id] ?? 0 }) {
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
        let now = shard.now.monotonic
        finish(
            room.live?.markRead(session, sequence: sequence, newest: newest, origin: origin, at: now), origin, in: room)
    }
}

extension Services {
    /// Tells a user's other sessions how far the user has read, in rooms or not, on all instances.
    func tellDevices(_ mark: ReadMark, in room: RoomID, except session: SessionAddress?) {
        let user = mark.userID
        let here = tellDevicesHere(mark, in: room, except: session)
        // What is known of users says how many sessions there are, so that most marks ask Redis nothing.
        guard bus != nil, let standing = presence.presence(of: user), standing.sessions > here else { return }
        let message = InstanceMessage.read(mark, in: room).encoded
        Task { [self] in
            let instances = await presence.directory.instances(of: [user])[user] ?? []
            for instance in instances where instance != configuration.instance {
                presence.directory.send(message, to: instance)
            }
        }
    }

    /// Tells the user's sessions on this instance; how many there are.
    @discardableResult
    func tellDevicesHere(_ mark: ReadMark, in room: RoomID, except session: SessionAddress? = nil) -> Int {
        let addresses = users.sessions(of: mark.userID)
        let others = addresses.filter { $0 != session }
        guard !others.isEmpty else { return addresses.count }
        var frames = EncodedFrames()
        frames.append(
            "message_read", data: EventJSON.read(mark, in: room), for: FrameEncoding.allCases, deflate: { _ in nil })
        for (shard, group) in Dictionary(grouping: others, by: \.shard) { mailbox(shard).post(.notice(group, frames)) }
        return addresses.count
    }
}
