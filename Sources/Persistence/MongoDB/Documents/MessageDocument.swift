import ChatDomain
import JSON

extension BSONDocument {
    /// The document of a new message.
    ///
    /// - Parameter owner: the instance that publishes its event; nil for no event.
    init(_ draft: MessageDraft, in room: RoomID, _ sequence: SequenceNumber, eventOwner owner: InstanceID?) {
        let body = draft.body
        self = [
            "_id": .objectID(draft.id), "roomId": .string(room), "seq": .int64(sequence),
            "userId": .string(body.author),
            "username": .string(body.username), "message": .string(body.text), "messageType": .string(body.kind),
            "timestamp": .date(draft.timestamp), "createdAt": .date(draft.timestamp),
        ]
        self["words"] = BSONValue.words(of: body.text)
        self["clientMessageId"] = body.clientMessageID.map { .string($0) }
        self["metadata"] = body.metadata.map { .string($0) }
        self["replyTo"] = body.replyTo.map { .string($0) }
        self["eventOwner"] = owner.map { .string($0.value) }
    }

    /// Reads a message leniently, because an older program may have written it.
    ///
    /// - Parameter number: the message's number if the document has none.
    func message(number: SequenceNumber? = nil) -> Message? {
        guard let id = self["_id"], let room = self["roomId"]?.identifier,
            let sequence = MessageNumbers.message(self["seq"]?.integer) ?? number
        else { return nil }
        let author = self["userId"]?.identifier ?? ""
        return Message(
            id: id.objectID ?? Self.substitute(for: id), sequence: sequence, roomID: RoomID(unchecked: room),
            body: MessageBody(
                author: UserID(unchecked: author), username: self["username"]?.text ?? author,
                text: self["message"]?.text ?? "", kind: self["messageType"]?.text ?? "text",
                clientMessageID: self["clientMessageId"]?.text, metadata: self["metadata"].flatMap(Self.json),
                replyTo: self["replyTo"]?.identifier),
            timestamp: self["timestamp"]?.timestamp ?? self["createdAt"]?.timestamp ?? Timestamp(milliseconds: 0))
    }

    /// An id for a message whose stored id has another type. Equal stored ids give equal ids.
    private static func substitute(for id: BSONValue) -> MessageID {
        let bytes = BSONDocument(fields: [.init(name: "_id", value: id)]).encoded
        // FNV-1a, 64 bits.
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return MessageID(high: hash, low: UInt32(truncatingIfNeeded: hash >> 17))
    }

    /// Metadata as JSON text. This service stores a text; an older program may have stored a document. A text that is no JSON
    /// object is dropped, because it would make the message it is written into invalid.
    private static func json(_ metadata: BSONValue) -> String? {
        switch metadata {
        case .string(let text): (try? JSONValue(parsing: text.utf8))?.object == nil ? nil : text
        case .document(let document): document.json
        default: nil
        }
    }
}
