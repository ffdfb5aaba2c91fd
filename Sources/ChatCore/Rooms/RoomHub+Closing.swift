import ChatDomain

/// Taking deleted rooms out of memory, so that nobody waits for one in vain.
extension RoomHub {
    /// Puts everybody out who is in the room, and answers everybody who waits for its store. Those who wait to be shown it
    /// are answered when what was read for them comes.
    func close(_ room: HomeRoom) {
        for user in room.live?.members.list(limit: .max) ?? [] { expel(user.userID, from: room) }
        for origin in room.live?.abandonWrites() ?? [] { reply(.refused(.roomUnavailable), to: origin) }
        if let timer = room.timer { context.loop.cancel(timer.id) }
        room.timer = nil
        tellWatchersOfTheEnd(of: room)
        updateSubscription(room)
        room.isClosing = room.live?.isWriting ?? false
        room.live = nil
        if !room.isClosing { rooms[room.id] = nil }
    }

    /// The last write of a deleted room is done: the id is free for another room, and commands for that may go on.
    func closed(_ room: HomeRoom) {
        rooms[room.id] = nil
        let waiting = room.waiting
        room.waiting = []
        for command in waiting { dispatch(command, in: room.id) }
    }
}
