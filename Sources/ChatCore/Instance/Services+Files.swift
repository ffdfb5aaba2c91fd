import ChatDomain
import JSON

/// Messages that refer to files, and those that a hook decides about.
extension Services {
    /// Whether more than the room has to be asked about the message.
    func looksElsewhere(before message: OutgoingMessage) -> Bool {
        hook != nil || message.fileReference != nil && files != nil
    }

    /// Whether more than the room has to be asked about the change.
    func looksElsewhere(before change: MessageChangeRequest) -> Bool {
        if hook != nil, case .edit = change.kind { return true }
        return change.mayConcernFile && files != nil
    }

    /// Sends a message to a room, and waits for the room's answer. The hook decides about the message before, and a file that the
    /// message refers to is checked.
    ///
    /// - Parameters:
    ///   - session: the sender's session; nil for a call over REST.
    ///   - since: when the request came, if it waited.
    package func send(
        _ message: OutgoingMessage, by author: RoomUser, from session: SessionAddress?, since: Moment?, to room: RoomID
    ) async -> RoomReply {
        let reviewed: OutgoingMessage
        do throws(ChatError) { reviewed = try await self.reviewed(message, by: author, in: room) } catch {
            return .refused(error)
        }
        return await ask(room, referringTo: reviewed.fileReference, by: author) {
            .send(session, $0, reviewed, author, since: since)
        }
    }

    /// Changes a message, and waits for the room's answer. The hook decides about an edit before, and a file that it refers to is checked. The file of a message
    /// that is deleted goes with it, and one that an edit replaces.
    ///
    /// - Parameters:
    ///   - isService: whether the service key was shown.
    ///   - session: the sender's session; nil for a call over REST.
    ///   - since: when the request came, if it waited.
    package func change(
        _ original: MessageChangeRequest, by user: RoomUser, isService: Bool, from session: SessionAddress?,
        since: Moment?, in room: RoomID
    ) async -> RoomReply {
        let change: MessageChangeRequest
        do throws(ChatError) { change = try await reviewed(original, by: user, in: room) } catch {
            return .refused(error)
        }
        let command = { (origin: RequestOrigin) in
            RoomCommand.change(session, origin, change, user, isService: isService, since: since)
        }
        guard let files, change.mayConcernFile else { return await ask(room, command) }
        let message: Message?
        do throws(StoreError) { message = try await store.message(change.messageID, in: room, above: 0) } catch {
            return .refused(.storageUnavailable)
        }
        let edit: MessageEdit? = if case .edit(let edit) = change.kind { edit } else { nil }
        let next = Self.fileReference(in: edit?.metadata)
        guard let message, let former = Self.fileReference(in: message.body.metadata), former != next,
            let file = FileID(former)
        else { return await ask(room, referringTo: next, by: user, command) }
        do throws(ChatError) {
            try await files.noteRemoval(
                FileRemoval(
                    file: file, roomID: room, messageID: message.id, author: message.body.author,
                    notedAt: clock.now.wall))
        } catch {
            return .refused(error)
        }
        let reply = await ask(room, referringTo: next, by: user, command)
        switch reply {
        case .changed: await files.remove(file, of: message.body.author, in: room)
        // A retryable refusal leaves open whether the change will be stored.
        case .refused(let error) where error.code.isRetryable: break
        default: await files.forgetRemoval(of: file)
        }
        return reply
    }

    /// The room's answer to a command that refers to a file, or to none.
    private func ask(
        _ room: RoomID, referringTo file: String?, by user: RoomUser, _ command: (RequestOrigin) -> RoomCommand
    ) async -> RoomReply {
        guard let files, let file else { return await ask(room, command) }
        do throws(ChatError) {
            let reference = try await files.refer(to: file, in: room, by: user.userID)
            let reply = await ask(room, command)
            // A retryable refusal leaves open whether the message will be stored.
            if case .refused(let error) = reply, !error.code.isRetryable { await files.withdraw(reference) }
            return reply
        } catch {
            return .refused(error)
        }
    }

    private static func fileReference(in metadata: String?) -> String? {
        guard let metadata, let id = (try? JSONValue(parsing: metadata.utf8))?["file"]?["fileId"], !id.isNull else {
            return nil
        }
        return id.string ?? ""
    }

    /// Removes the file that the metadata of an erased message names.
    package func removeFile(of metadata: ErasedMetadata) async {
        guard let files, let id = Self.fileReference(in: metadata.text).flatMap({ FileID($0) }) else { return }
        await files.remove(id, of: metadata.author, in: metadata.room)
    }

    /// Begins to remove files that no message refers to.
    package func startFiles() {
        files?.sweepPeriodically { [weak self] removal in await self?.isNeeded(removal) ?? nil }
    }

    /// Whether the message of a noted removal refers to the file, because it was not changed after all.
    private func isNeeded(_ removal: FileRemoval) async -> Bool? {
        do throws(StoreError) {
            let message = try await store.message(removal.messageID, in: removal.roomID, above: 0)
            return Self.fileReference(in: message?.body.metadata) == removal.file.text
        } catch {
            return nil
        }
    }
}
