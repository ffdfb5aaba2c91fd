import ChatProtocol
import ChatDomain
import JSON

extension EventJSON {
    /// The answer that is one room.
    ///
    /// - Parameter user: the user that asks, whose role it has; nil for none.
    static func room(_ info: RoomInfo, for user: UserID?) -> [UInt8] {
        success { out in
            out.key("room")
            out.object { out in
                out.room(info.room)
                out.member("lastSeq", info.state.lastSequence)
                out.member("members", info.state.members)
                out.member("online", info.state.online)
                out.participants(info.participants)
                if let user { out.member("role", info.authority.role(of: user, in: info.room).rawValue) }
            }
        }
    }
}

extension JSONWriter {
    /// The members of a room as the store knows it.
    fileprivate mutating func room(_ room: Room) {
        member("roomId", room.id.value)
        member("type", room.kind.rawValue)
        member("private", room.isPrivate)
        member("name", room.name)
        member("owner", room.owner?.value)
        member("readOnly", room.isReadOnly)
        member("slowModeSeconds", room.slowModeSeconds)
        key("retentionDays")
        if let days = room.retentionDays { integer(days) } else { null() }
        member("createdAt", room.createdAt.milliseconds)
        member("updatedAt", room.updatedAt.milliseconds)
    }

    fileprivate mutating func participants(_ participants: [UserID]?) {
        guard let participants else { return }
        key("participants")
        array(participants) { $0.string($1.value) }
    }

    /// The members of a room in one user's list.
    mutating func summary(_ summary: RoomSummary) {
        room(summary.snapshot.room)
        member("lastSeq", summary.snapshot.lastSequence)
        member("members", summary.snapshot.participants.count)
        let participants = summary.snapshot.participants
        self.participants(
            participants.count <= RoomInfo.participantLimit ? participants.sorted() : nil)
        key("lastMessage")
        if let message = summary.lastMessage {
            object { out in
                out.member("content", message.body.text)
                out.member("timestamp", message.timestamp.milliseconds)
                out.member("senderId", message.body.author.value)
                out.member("username", message.body.username)
                out.member("seq", message.sequence)
            }
        } else {
            null()
        }
        member("unread", summary.unread)
        member("mentions", summary.mentions)
        member("lastReadSeq", summary.lastReadSequence)
    }
}
