import ChatDomain

/// Asking and telling rooms, from any thread.
extension Services {
    /// The room's answer; every command that carries an origin is answered.
    package func ask(_ room: RoomID, _ command: (RequestOrigin) -> RoomCommand) async -> RoomReply {
        let mailbox = mailbox(home(of: room))
        return await calls.call { mailbox.post(.room(room, command($0))) }
    }

    /// The store has changed the room: what comes to this instance from now on finds it so.
    package func tellHere(_ room: RoomID, _ change: RoomChange) {
        mailbox(home(of: room)).post(.roomChanged(room, change, nil))
    }

    /// The store has changed the room: returns when that is in force on every instance.
    package func announce(_ room: RoomID, _ change: RoomChange) async {
        tellHere(room, change)
        if bus != nil { await notices.tell(room, change) }
    }
}
