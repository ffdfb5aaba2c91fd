import ChatDomain
import JSON

/// A change that has no number yet, on its way to the instance that numbers its room.
enum ChangeDraftJSON {
    static func encode(_ draft: ChangeDraft, into out: inout JSONWriter) {
        out.object { out in
            out.member("change", name(of: draft.request))
            out.key("changeId")
            out.id(draft.id)
            out.key("messageId")
            out.id(draft.messageID)
            out.member("userId", draft.user.userID.value)
            out.member("username", draft.user.username)
            out.member("timestamp", draft.timestamp.milliseconds)
            if let id = draft.clientMessageID { out.member("clientMessageId", id) }
            switch draft.authority {
            case .anyMessage: out.member("anyMessage", true)
            case .ownMessages(let since): if let since { out.member("since", since.milliseconds) }
            }
            switch draft.request {
            case .edit(let edit):
                out.member("message", edit.text)
                if let metadata = edit.metadata {
                    out.key("metadata")
                    out.raw(metadata.utf8)
                }
                out.mentions(edit.mentions)
            case .delete: break
            case .react(let emoji, let isRemoved):
                out.member("emoji", emoji.value)
                out.member("removed", isRemoved)
            case .pin(let isPinned): out.member("pinned", isPinned)
            }
        }
    }

    private static func name(of request: ChangeRequest) -> String {
        switch request {
        case .edit: "edit"
        case .delete: "delete"
        case .react: "react"
        case .pin: "pin"
        }
    }

    /// Whether it is a change rather than a message.
    static func isChange(_ entry: JSONElement) -> Bool { entry["change"] != nil }

    /// nil for anything this server would not have written.
    static func decode(_ entry: JSONElement) -> ChangeDraft? {
        guard let id = entry["changeId"]?.string.flatMap({ MessageID($0) }),
            let messageID = entry["messageId"]?.string.flatMap({ MessageID($0) }),
            let userID = entry["userId"]?.string.flatMap({ try? UserID(validating: $0, field: "userId") }),
            let username = entry["username"]?.string, let time = entry["timestamp"]?.integer,
            let request = request(entry), let authority = authority(entry)
        else { return nil }
        var clientMessageID: String?
        guard MessageJSON.read("clientMessageId", \.string, of: entry, into: &clientMessageID) else { return nil }
        return ChangeDraft(
            id: id, messageID: messageID, user: RoomUser(userID: userID, username: username), request: request,
            authority: authority, clientMessageID: clientMessageID, timestamp: Timestamp(milliseconds: time))
    }

    private static func authority(_ entry: JSONElement) -> ChangeAuthority? {
        if entry["anyMessage"]?.bool == true { return .anyMessage }
        guard let since = entry["since"] else { return .ownMessages(since: nil) }
        return since.integer.map { .ownMessages(since: Timestamp(milliseconds: $0)) }
    }

    private static func request(_ entry: JSONElement) -> ChangeRequest? {
        switch entry["change"]?.string {
        case "edit":
            return ChangeJSON.edit(entry).map { .edit($0) }
        case "delete": return .delete
        case "react":
            guard let emoji = entry["emoji"]?.string.flatMap({ try? Emoji(validating: $0) }),
                let isRemoved = entry["removed"]?.bool
            else { return nil }
            return .react(emoji, isRemoved: isRemoved)
        case "pin": return entry["pinned"]?.bool.map { .pin($0) }
        default: return nil
        }
    }
}

extension ChangeJSON {
    /// A stored change under the name of its event.
    static func encodeWithEvent(_ change: MessageChange, into out: inout JSONWriter) {
        out.object { out in
            out.key(event(of: change))
            encodeForInstances(change, into: &out)
        }
    }

    /// nil for anything this server would not have written.
    static func decode(_ entry: JSONElement, in room: RoomID) -> MessageChange? {
        let events: [StaticString] = ["message_edited", "message_deleted", "message_reaction", "message_pinned"]
        for event in events {
            if let data = entry[event] { return decode("\(event)", data, in: room) }
        }
        return nil
    }
}
