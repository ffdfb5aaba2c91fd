import ChatDomain

/// What the hook makes of texts before they are stored. Without a hook everything stays as it is.
extension Services {
    /// The message as it may be sent.
    ///
    /// A message that is stored already under its client id is not asked about again. It gets the stored text, which the hook may
    /// have given it, so that it is recognised as the repeat that it is.
    ///
    /// - Parameters:
    ///   - room: nil for a message straight to users.
    ///   - recipients: the users of a message without a room.
    /// - Throws: the hook's refusal.
    func reviewed(
        _ message: OutgoingMessage, by author: RoomUser, in room: RoomID?, to recipients: [UserID] = []
    ) async throws(ChatError) -> OutgoingMessage {
        guard let hook else { return message }
        if let room, let stored = await stored(message, by: author.userID, in: room) {
            // The text of a deleted message is gone, and its repeat is one whatever it says.
            return stored.isDeleted ? message : message.with(text: stored.body.text)
        }
        let question = HookQuestion(
            room: room, recipients: recipients, author: author, text: message.text, kind: message.kind,
            clientMessageID: message.clientMessageID, metadata: message.metadata, replyTo: message.replyTo)
        switch await hook.verdict(on: question) {
        case .allow: return message
        case .replace(let text): return message.with(text: text)
        case .refuse(let error): throw error
        }
    }

    /// The message that is stored under the client id of this one; nil for none, and where the store does not answer.
    private func stored(_ message: OutgoingMessage, by author: UserID, in room: RoomID) async -> Message? {
        guard let clientID = message.clientMessageID,
            let stored = try? await store.message(sentAs: clientID, by: author, in: room, above: 0),
            let people = try? await store.people(of: [room])[room], stored.sequence > people.historyBase
        else { return nil }
        return stored
    }

    /// The change as it may be made; all but edits stay as they are.
    ///
    /// - Throws: the hook's refusal.
    func reviewed(
        _ change: MessageChangeRequest, by author: RoomUser, in room: RoomID
    ) async throws(ChatError) -> MessageChangeRequest {
        guard let hook, case .edit(let edit) = change.kind else { return change }
        let question = HookQuestion(
            room: room, author: author, text: edit.text, edited: change.messageID,
            clientMessageID: change.clientMessageID, metadata: edit.metadata)
        switch await hook.verdict(on: question) {
        case .allow: return change
        case .replace(let text):
            var change = change
            change.kind = .edit(edit.with(text: text))
            return change
        case .refuse(let error): throw error
        }
    }
}

extension OutgoingMessage {
    fileprivate func with(text: String) -> Self {
        var message = self
        message.text = text
        return message
    }
}

extension MessageEdit {
    /// Mentions that only the former text had are gone with it.
    fileprivate func with(text: String) -> Self {
        let former = Set(Mentions.users(named: [], in: self.text))
        var edit = self
        edit.text = text
        edit.mentions = Mentions.users(named: mentions.filter { !former.contains($0) }, in: text)
        return edit
    }
}
