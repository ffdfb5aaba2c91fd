import ChatDomain

extension MongoConnection {
    /// Reads what drafts have to know of a room. Like numbering it counts what the majority does not have yet: what is stored
    /// behind that is rolled back together with it.
    func facts(for drafts: [RoomDraft], in room: RoomID) throws(MongoError) -> RoomFacts {
        var facts = RoomFacts()
        let targets = Set(drafts.compactMap(\.target))
        let repeated = drafts.filter { $0.needsFacts && $0.clientMessageID != nil }
        if !repeated.isEmpty {
            let found = try entries(repeating: repeated.map { (room, $0) }, Self.local)
            facts.repeats = try freeClientIDs(of: found).current
        }
        let changed = Set(facts.repeats.compactMap { $0.change?.messageID })
        let known = try messages(targets.union(changed), in: room, besides: drafts.filter(\.needsFacts).map(\.id))
        let base = try people(of: [room])[room]?.historyBase ?? 0
        facts.messages = known.messages.filter { $0.value.sequence > base }
        facts.repeats += known.others
        for case .change(let draft) in drafts {
            guard case .react(let emoji, _) = draft.request else { continue }
            let reaction = facts.messages[draft.messageID]?.state?.reactions.first { $0.emoji == emoji }
            let key = RoomFacts.ReactionKey(message: draft.messageID, emoji: emoji)
            guard let reaction, reaction.count > reaction.users.count, facts.reactors[key] == nil else { continue }
            facts.reactors[key] = try reactors(key, in: room)
        }
        return facts
    }

    static let local: BSONDocument = ["readConcern": ["level": "local"]]

    /// Messages with all changes and replies that their documents do not show yet, and the entries with the ids in `others`.
    private func messages(
        _ ids: Set<MessageID>, in room: RoomID, besides others: [MessageID]
    ) throws(MongoError) -> (messages: [MessageID: Message], others: [RoomLogEntry]) {
        // Before the messages: an entry that is closed in between is in the message then, and applying it again has no effect.
        var open: [MessageID: [BSONDocument]] = [:]
        for id in ids { open[id] = try openEntries(of: id, in: room) }
        let found = try find(
            MongoSchema.messages, ["roomId": .any(of: room), "_id": .anyID(of: ids.union(others))], Self.local)
        var messages: [MessageID: Message] = [:]
        for document in found {
            if let message = document.message(), ids.contains(message.id) { messages[message.id] = message }
        }
        for (id, documents) in open {
            for document in documents {
                if let entry = document.entry(of: messages[id]) { messages[id]?.apply(entry) }
            }
        }
        let stored = found.filter { $0["_id"]?.objectID.map(others.contains) ?? false }
        return (messages, stored.compactMap { $0.entry(of: $0.editedMessage.flatMap { messages[$0] }) })
    }

    /// The users that have reacted to a message with an emoji, in the order of their reactions.
    private func reactors(_ key: RoomFacts.ReactionKey, in room: RoomID) throws(MongoError) -> [UserID] {
        var users: [UserID] = []
        for change in try changes(of: key.message, in: room).lazy.compactMap({ $0.change() }) {
            guard case .reaction(let reaction) = change.kind, reaction.emoji == key.emoji else { continue }
            users.removeAll { $0 == change.user.userID }
            if !reaction.isRemoved { users.append(change.user.userID) }
        }
        return users
    }
}

extension BSONDocument {
    /// The document as an entry of the room's log.
    ///
    /// - Parameter message: the message that a change is about, if it is known; see `change(of:)`.
    func entry(of message: Message?) -> RoomLogEntry? {
        isChange ? change(of: message).map { .change($0) } : self.message().map { .message($0) }
    }
}

extension Message {
    /// Takes a change of this message or a reply to it.
    mutating func apply(_ entry: RoomLogEntry) {
        switch entry {
        case .change(let change): apply(change)
        case .message(let reply): noteReply(reply.sequence)
        }
    }
}
