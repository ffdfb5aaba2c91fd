import ChatDomain

/// Bringing the documents of messages up to date from the changes and replies that name them.
///
/// Any instance may do this, any number of times: entries are applied in the order of their numbers, and an update takes effect only
/// on the document that it was made from.
extension MongoConnection {
    /// Updates of one message that other instances may win.
    private static let attempts = 20
    /// Open entries of a room that one call looks at. The next call finds the rest.
    private static let entriesPerCall: Int64 = 1000

    /// Brings all messages of a room up to date, as the first to open it or to read its log after an instance has died does.
    func bringUpToDate(_ room: RoomID) throws(MongoError) {
        let open = try find(
            MongoSchema.messages, ["roomId": .any(of: room), "appliesTo": .document(MongoSchema.isText)],
            ["projection": ["appliesTo": 1], "limit": .int64(Self.entriesPerCall)])
        for target in Set(open.compactMap(\.appliesTo)) { try bringUpToDate(target, in: room) }
    }

    /// Brings one message up to date. When this returns, nothing is left of the content of a deleted message.
    func bringUpToDate(_ id: MessageID, in room: RoomID) throws(MongoError) {
        for _ in 0..<Self.attempts {
            let open = try openEntries(of: id, in: room)
            guard !open.isEmpty else { return }
            let found = try find(
                MongoSchema.messages, ["roomId": .any(of: room), "_id": .objectID(id)], Self.local)
            guard let document = found.first, let message = document.message() else {
                return try close(open, in: room)
            }
            if try apply(open, to: message, document) { return }
        }
        throw .unknown(reason: "other instances change the message all the time")
    }

    /// Changes and replies that a message does not show yet, in order.
    func openEntries(of id: MessageID, in room: RoomID) throws(MongoError) -> [BSONDocument] {
        var options = Self.local
        options["sort"] = ["seq": 1]
        return try find(MongoSchema.messages, ["roomId": .any(of: room), "appliesTo": .text(of: id)], options)
    }

    /// - Returns: whether the document was still the one that was read.
    private func apply(
        _ open: [BSONDocument], to message: Message, _ document: BSONDocument
    ) throws(MongoError) -> Bool {
        var changed = message
        for each in open { if let entry = each.entry(of: changed) { changed.apply(entry) } }
        if changed != message {
            guard try replace(message, by: changed, readFrom: document) else { return false }
        }
        if changed.isDeleted {
            try eraseChanges(of: changed)
            try dropReasons(ofFlagsOf: [changed.id], in: message.roomID)
        }
        if changed.state?.changeSequence ?? 0 > 0 { try updateLastMessages([changed]) }
        try close(open, in: message.roomID)
        return true
    }

    /// Fields that an erasure changes although the message takes no number for it.
    private static let erasableFields = ["message", "deleted", "userId", "mentions"]

    /// Changes a message's document, unless a change, a reply or an erasure came in between. Otherwise what an erasure removed would be
    /// written back.
    ///
    /// - Returns: whether the document was still the one that was read.
    func replace(
        _ message: Message, by changed: Message, readFrom document: BSONDocument
    ) throws(MongoError) -> Bool {
        var set = BSONDocument()
        var unset = BSONDocument()
        for (name, value) in BSONDocument.changeableFields(of: changed) {
            if let value { set[name] = value } else { unset[name] = "" }
        }
        // An event that was not published yet would tell the text.
        if changed.isDeleted, !message.isDeleted { unset.fields += BSONDocument.pendingEvents.fields }
        var query: BSONDocument = [
            "roomId": document["roomId"] ?? .null, "_id": .objectID(message.id),
            "changeSeq": .stored(message.state?.changeSequence),
            "lastReplySeq": .stored(message.state?.lastReply),
        ]
        for name in Self.erasableFields {
            // What no program of this protocol wrote cannot be compared.
            if case .other? = document[name] { continue }
            query[name] = document[name] ?? .null
        }
        return try update(
            MongoSchema.messages, [["q": .document(query), "u": ["$set": .document(set), "$unset": .document(unset)]]]
        ) > 0
    }

    /// Takes the texts out of the edits of a deleted message, which are deletions from then on. Of all its changes only its deletion is
    /// published still.
    private func eraseChanges(of message: Message) throws(MongoError) {
        let changes = try changes(of: message.id, in: message.roomID)
        func update(_ kinds: [String], _ fields: BSONDocument) -> BSONDocument {
            let chosen = changes.filter { kinds.contains($0["change"]?.document?["kind"]?.text ?? "") }
            let ids = chosen.compactMap { $0["_id"]?.objectID }
            return [
                "q": ["roomId": .any(of: message.roomID), "_id": .anyID(of: ids)], "u": .document(fields),
                "multi": true,
            ]
        }
        var unset = BSONDocument.pendingEvents
        for name in BSONDocument.contentOfEdits { unset["change." + name] = "" }
        try self.update(
            MongoSchema.messages,
            [
                update(["edited"], ["$set": ["change.kind": "deleted"], "$unset": .document(unset)]),
                update(["reaction", "pinned"], ["$unset": .document(.pendingEvents)]),
            ])
    }

    /// Reports of deleted messages stay, without what their authors wrote: that may repeat the text.
    func dropReasons(ofFlagsOf messages: [MessageID], in room: RoomID) throws(MongoError) {
        guard !messages.isEmpty else { return }
        let query: BSONDocument = ["roomId": .any(of: room), "messageId": .anyID(of: messages)]
        try self.update(
            MongoSchema.flags, [["q": .document(query), "u": ["$unset": ["reason": ""]], "multi": true]])
    }

    /// All changes of a message, in order.
    func changes(of id: MessageID, in room: RoomID) throws(MongoError) -> [BSONDocument] {
        var options = Self.local
        options["sort"] = ["seq": 1]
        return try find(MongoSchema.messages, ["roomId": .any(of: room), "changeOf": .text(of: id)], options)
    }

    /// Notes that the message shows these entries. The text of an edit is read from there from now on.
    private func close(_ open: [BSONDocument], in room: RoomID) throws(MongoError) {
        var unset: BSONDocument = ["appliesTo": ""]
        for name in BSONDocument.contentOfEdits { unset["change." + name] = "" }
        let ids = open.compactMap { $0["_id"]?.objectID }
        let update: BSONDocument = [
            "q": ["roomId": .any(of: room), "_id": .anyID(of: ids)], "u": ["$unset": .document(unset)], "multi": true,
        ]
        try self.update(MongoSchema.messages, [update])
    }
}

extension BSONValue {
    /// Matches a number as `BSONDocument.changeableFields` stores it.
    fileprivate static func stored(_ number: SequenceNumber?) -> Self {
        number.flatMap { $0 > 0 ? .int64($0) : nil } ?? .null
    }
}
