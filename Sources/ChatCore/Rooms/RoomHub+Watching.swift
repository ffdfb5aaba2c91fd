import ChatDomain

/// Telling shards who takes part in a room, for sessions that watch the presence of its people.
extension RoomHub {
    /// Changes are told at most this often.
    private static let tellingInterval: Duration = .milliseconds(250)

    func watch(_ room: HomeRoom, for user: UserID, on target: UInt16, _ origin: RequestOrigin) {
        guard room.live?.admits(user) == true else { return reply(.refused(.roomUnavailable), to: origin) }
        room.watchers.insert(target)
        // Both ways through the mailbox: the answer must not overtake what it is about.
        services.mailbox(target).post(.watched(room.id, watched(room)))
        reply(.done, to: origin)
    }

    func unwatch(_ id: RoomID, on target: UInt16) {
        guard let room = rooms[id] else { return }
        room.watchers.remove(target)
        followUp(room)
    }

    /// Tells of what changed since the last time, a little later: many may come in at once.
    func tellWatchers(of room: HomeRoom) {
        guard !room.watchers.isEmpty, !room.isTelling, let live = room.live,
            live.participantsRevision != room.toldRevision
        else { return }
        room.isTelling = true
        context.loop.schedule(after: Self.tellingInterval) { [unowned self] in
            room.isTelling = false
            guard room.live != nil else { return }
            let news = watched(room)
            for target in room.watchers { services.mailbox(target).post(.watched(room.id, news)) }
        }
    }

    func tellWatchersOfTheEnd(of room: HomeRoom) {
        for target in room.watchers { services.mailbox(target).post(.watched(room.id, nil)) }
        room.watchers = []
    }

    private func watched(_ room: HomeRoom) -> WatchedRoom? {
        guard let live = room.live else { return nil }
        room.toldRevision = live.participantsRevision
        return WatchedRoom(participants: live.participants, isOpen: live.admits(nil))
    }
}
