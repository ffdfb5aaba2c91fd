import ChatDomain

extension BSONDocument {
    /// The document of a new message.
    ///
    /// - Parameter owners: the instances under which its events wait.
    init(_ message: Message, eventOwners owners: [(destination: EventDestination, owner: InstanceID)]) {
        let body = message.body
        self = [
            "_id": .objectID(message.id), "roomId": .string(message.roomID), "seq": .int64(message.sequence),
            "userId": .string(body.author),
            "username": .string(body.username), "message": .string(body.text), "messageType": .string(body.kind),
            "timestamp": .date(message.timestamp), "createdAt": .date(message.timestamp),
        ]
        self["words"] = BSONValue.words(of: body.text)
        self["clientMessageId"] = body.clientMessageID.map { .string($0) }
        setContent(metadata: body.metadata, mentions: body.mentions)
        self["replyTo"] = body.replyTo.map { .string($0) }
        self["appliesTo"] = body.replyTo.flatMap { MessageID($0) }.map { .text(of: $0) }
        setPendingEvents(owners)
    }

    /// The fields that changes and replies set, with nil for those that are to be removed.
    static func changeableFields(of message: Message) -> [(name: String, value: BSONValue?)] {
        let state = message.state ?? MessageState()
        var content = BSONDocument()
        content.setContent(metadata: message.body.metadata, mentions: message.body.mentions)
        return [
            ("message", .string(message.body.text)),
            ("words", state.isDeleted ? nil : BSONValue.words(of: message.body.text)),
            ("metadata", content["metadata"]),
            ("metadataText", content["metadataText"]), ("mentions", content["mentions"]),
            ("editedAt", state.editedAt.map { .date($0) }), ("deleted", state.isDeleted ? true : nil),
            ("pinned", state.isPinned ? true : nil),
            ("changeSeq", state.changeSequence > 0 ? .int64(state.changeSequence) : nil),
            ("reactions", state.reactions.isEmpty ? nil : .documents(state.reactions.map { BSONDocument($0) })),
            ("replyCount", state.replyCount > 0 ? .int64(Int64(state.replyCount)) : nil),
            ("lastReplySeq", state.lastReply > 0 ? .int64(state.lastReply) : nil),
        ]
    }

    /// Sets the fields of metadata and mentions that are there. They have the same names in messages and in edits.
    mutating func setContent(metadata: String?, mentions: [UserID]) {
        if let metadata { (self["metadata"], self["metadataText"]) = BSONValue.metadata(metadata) }
        if !mentions.isEmpty { self["mentions"] = .strings(mentions) }
    }

    /// Reads a message leniently, because an older program may have written it. A change of a message is none.
    ///
    /// - Parameter number: the message's number if the document has none.
    func message(number: SequenceNumber? = nil) -> Message? {
        guard !isChange, let id = self["_id"], let room = self["roomId"]?.identifier,
            let sequence = MessageNumbers.message(self["seq"]?.integer) ?? number
        else { return nil }
        let author = self["userId"]?.identifier ?? ""
        let state = messageState
        var body = MessageBody(
            author: UserID(unchecked: author), username: self["username"]?.text ?? author, text: "",
            kind: self["messageType"]?.text ?? "text", clientMessageID: self["clientMessageId"]?.text,
            replyTo: self["replyTo"]?.identifier)
        if state?.isDeleted != true {
            (body.text, body.metadata, body.mentions) = (self["message"]?.text ?? "", metadataText, mentions)
        }
        return Message(
            id: id.objectID ?? Self.substitute(for: id), sequence: sequence, roomID: RoomID(unchecked: room),
            body: body,
            timestamp: sentAt, state: state)
    }

    var sentAt: Timestamp { self["timestamp"]?.timestamp ?? self["createdAt"]?.timestamp ?? Timestamp(milliseconds: 0) }

    var mentions: [UserID] {
        (self["mentions"]?.array ?? []).prefix(Mentions.limit).compactMap {
            $0.identifier.map { UserID(unchecked: $0) }
        }
    }

    private var messageState: MessageState? {
        var state = MessageState()
        state.editedAt = self["editedAt"]?.timestamp
        state.isDeleted = self["deleted"]?.bool ?? false
        state.isPinned = self["pinned"]?.bool ?? false
        state.changeSequence = MessageNumbers.mark(self["changeSeq"]?.integer)
        state.replyCount = max(0, Int(clamping: self["replyCount"]?.integer ?? 0))
        state.lastReply = MessageNumbers.mark(self["lastReplySeq"]?.integer)
        if !state.isDeleted {
            state.reactions = (self["reactions"]?.array ?? []).prefix(Reaction.limit).compactMap(\.document?.reaction)
        }
        return state == MessageState() ? nil : state
    }

    /// An id for a message whose stored id has another type. Equal stored ids give equal ids.
    private static func substitute(for id: BSONValue) -> MessageID {
        let bytes = BSONDocument(fields: [.init(name: "_id", value: id)]).encoded
        // FNV-1a, 64 bits.
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return MessageID(high: hash, low: UInt32(truncatingIfNeeded: hash >> 17))
    }
}

extension BSONDocument {
    fileprivate init(_ reaction: Reaction) {
        self = [
            "emoji": .string(reaction.emoji), "count": .int64(Int64(reaction.count)),
            "userIds": .strings(reaction.users),
        ]
    }

    fileprivate var reaction: Reaction? {
        guard let emoji = self["emoji"]?.text.flatMap({ try? Emoji(validating: $0) }),
            let count = self["count"]?.integer.flatMap({ Int(exactly: $0) }), count > 0
        else { return nil }
        let users = (self["userIds"]?.array ?? []).prefix(Reaction.listedUsers)
        return Reaction(
            emoji: emoji, count: count, users: users.compactMap { $0.identifier.map { UserID(unchecked: $0) } })
    }
}
