import ChatProtocol
import ChatDomain
import JSON

extension EventJSON {
    /// The answer that is one room.
    static func room(_ info: RoomInfo) -> [UInt8] {
        success { out in
            out.key("room")
            out.object { out in
                out.room(info.room)
                out.key("lastSeq")
                out.integer(info.state.lastSequence)
                out.key("members")
                out.integer(info.state.members)
                out.key("online")
                out.integer(info.state.online)
                out.participants(info.participants)
            }
        }
    }
}

extension JSONWriter {
    /// The members of a room as the store knows it.
    fileprivate mutating func room(_ room: Room) {
        key("roomId")
        string(room.id.value)
        key("type")
        string(room.kind.rawValue)
        key("private")
        bool(room.isPrivate)
        key("name")
        if let name = room.name { string(name) } else { null() }
        key("owner")
        if let owner = room.owner { string(owner.value) } else { null() }
        key("createdAt")
        integer(room.createdAt.milliseconds)
        key("updatedAt")
        integer(room.updatedAt.milliseconds)
    }

    fileprivate mutating func participants(_ participants: [UserID]?) {
        guard let participants else { return }
        key("participants")
        array(participants) { $0.string($1.value) }
    }

    /// The members of a room in one user's list.
    mutating func summary(_ summary: RoomSummary) {
        room(summary.snapshot.room)
        key("lastSeq")
        integer(summary.snapshot.lastSequence)
        key("members")
        integer(summary.snapshot.participants.count)
        let participants = summary.snapshot.participants
        self.participants(
            participants.count <= RoomInfo.participantLimit ? participants.sorted() : nil)
        key("lastMessage")
        if let message = summary.lastMessage {
            object { out in
                out.key("content")
                out.string(message.body.text)
                out.key("timestamp")
                out.integer(message.timestamp.milliseconds)
                out.key("senderId")
                out.string(message.body.author.value)
                out.key("username")
                out.string(message.body.username)
                out.key("seq")
                out.integer(message.sequence)
            }
        } else {
            null()
        }
        key("unread")
        integer(summary.unread)
        key("lastReadSeq")
        integer(summary.lastReadSequence)
    }
}
