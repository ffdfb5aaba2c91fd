import ChatDomain

/// A change of a message: a document of its own among the messages, so that one index numbers both.
///
/// `changeOf` names the message, for an index. `appliesTo` names it until its document is brought up to date from this one. An edit has its text until then.
extension BSONDocument {
    /// What is removed from an edit once the message has it.
    static let contentOfEdits = ["message", "metadata", "metadataText", "mentions"]

    /// - Parameter owners: the instances under which its events wait.
    init(_ change: MessageChange, eventOwners owners: [(destination: EventDestination, owner: InstanceID)]) {
        var content: BSONDocument = [
            "kind": .string(change.kind.name), "messageId": .text(of: change.messageID),
            "messageSeq": .int64(change.messageSequence), "userId": .string(change.user.userID),
            "username": .string(change.user.username),
        ]
        switch change.kind {
        case .edited(let edit):
            content["message"] = .string(edit.text)
            content.setContent(metadata: edit.metadata, mentions: edit.mentions)
        case .deleted: break
        case .reaction(let reaction):
            content["emoji"] = .string(reaction.emoji)
            content["removed"] = .bool(reaction.isRemoved)
            content["count"] = .int64(Int64(reaction.count))
            content["successor"] = reaction.successor.map { .string($0) }
        case .pinned(let isPinned): content["pinned"] = .bool(isPinned)
        }
        self = [
            "_id": .objectID(change.id), "roomId": .string(change.roomID), "seq": .int64(change.sequence),
            "messageType": "change", "change": .document(content), "timestamp": .date(change.timestamp),
            "createdAt": .date(change.timestamp), "changeOf": .text(of: change.messageID),
            "appliesTo": .text(of: change.messageID),
        ]
        if let clientID = change.clientMessageID {
            // The index of client ids begins with these.
            self["userId"] = .string(change.user.userID)
            self["clientMessageId"] = .string(clientID)
        }
        setPendingEvents(owners)
    }

    var isChange: Bool { self["change"]?.document?["kind"]?.text != nil }

    /// The message that is to be brought up to date from this document; nil where it is.
    var appliesTo: MessageID? { self["appliesTo"]?.text.flatMap { MessageID($0) } }

    /// Reads a change. An edit without its text gets it from the message as it is now, and is a deletion where there is none.
    ///
    /// - Parameter message: the changed message, if it is known.
    func change(of message: Message? = nil) -> MessageChange? {
        guard let content = self["change"]?.document, let name = content["kind"]?.text,
            let id = self["_id"]?.objectID, let room = self["roomId"]?.identifier,
            let sequence = MessageNumbers.message(self["seq"]?.integer),
            let messageID = content["messageId"]?.text.flatMap({ MessageID($0) }),
            let messageSequence = MessageNumbers.message(content["messageSeq"]?.integer),
            let user = content["userId"]?.identifier,
            let kind = MessageChange.Kind(name, content, of: message)
        else { return nil }
        return MessageChange(
            id: id, sequence: sequence, roomID: RoomID(unchecked: room), messageID: messageID,
            messageSequence: messageSequence,
            user: RoomUser(userID: UserID(unchecked: user), username: content["username"]?.text ?? user), kind: kind,
            timestamp: sentAt, clientMessageID: self["clientMessageId"]?.text)
    }

    /// The message whose text an edit is read with; nil for other documents.
    var editedMessage: MessageID? {
        guard let content = self["change"]?.document, content["kind"]?.text == "edited" else { return nil }
        return content["messageId"]?.text.flatMap { MessageID($0) }
    }
}

extension BSONValue {
    /// A message's id where a document names another message, as `replyTo` does.
    static func text(of id: MessageID) -> Self { .string(id.description) }
}

extension MessageChange.Kind {
    fileprivate var name: String {
        switch self {
        case .edited: "edited"
        case .deleted: "deleted"
        case .reaction: "reaction"
        case .pinned: "pinned"
        }
    }

    fileprivate init?(_ name: String, _ content: BSONDocument, of message: Message?) {
        switch name {
        case "edited":
            if let message, message.isDeleted {
                self = .deleted
            } else if let text = content["message"]?.text {
                self = .edited(MessageEdit(text: text, metadata: content.metadataText, mentions: content.mentions))
            } else if let body = message?.body {
                self = .edited(MessageEdit(text: body.text, metadata: body.metadata, mentions: body.mentions))
            } else {
                self = .deleted
            }
        case "deleted": self = .deleted
        case "reaction":
            guard let emoji = content["emoji"]?.text.flatMap({ try? Emoji(validating: $0) }) else { return nil }
            self = .reaction(
                ReactionChange(
                    emoji: emoji, isRemoved: content["removed"]?.bool ?? false,
                    count: max(0, Int(clamping: content["count"]?.integer ?? 0)),
                    successor: content["successor"]?.identifier.map { UserID(unchecked: $0) }))
        case "pinned": self = .pinned(content["pinned"]?.bool ?? false)
        default: return nil
        }
    }
}
