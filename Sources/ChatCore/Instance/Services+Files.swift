import ChatDomain

/// Messages that refer to files.
extension Services {
    /// Sends a message to a room, and waits for the room's answer. A file that the message refers to is checked before.
    ///
    /// - Parameters:
    ///   - session: the sender's session; nil for a call over REST.
    ///   - since: when the request came, if it waited.
    package func send(
        _ message: OutgoingMessage, by author: RoomUser, from session: SessionAddress?, since: Moment?, to room: RoomID
    ) async -> RoomReply {
        let command = { (origin: RequestOrigin) in RoomCommand.send(session, origin, message, author, since: since) }
        guard let files, let text = message.fileReference else { return await ask(room, command) }
        do throws(ChatError) {
            let reference = try await files.refer(to: text, in: room, by: author.userID)
            let reply = await ask(room, command)
            // A retryable refusal leaves open whether the message will be stored.
            if case .refused(let error) = reply, !error.code.isRetryable { await files.withdraw(reference) }
            return reply
        } catch {
            return .refused(error)
        }
    }

    /// Begins to remove files that no message refers to.
    package func startFiles() { files?.sweepPeriodically() }
}
