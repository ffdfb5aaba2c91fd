// Links everything.
import ChatDomain
import JSON

@testable import PersistenceMongoDB

/// Takes the input for a document that some program left in MongoDB: as a message, a room, and an answer to a command.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMongoData(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let document = BSONDocument(encoded: UnsafeRawBufferPointer(start: start, count: count)) else { return 0 }
    _ = document.encoded
    let json = Array(document.json.utf8)
    precondition((try? JSONValue(parsing: json, maximumDepth: 250)) != nil, "what is shown of a document is no JSON")
    if let change = document.change() {
        precondition(MessageNumbers.valid.contains(change.sequence), "a number no change can have")
    }
    if let message = document.message(number: 1) {
        precondition(MessageNumbers.valid.contains(message.sequence), "a number no message can have")
        precondition(Timestamp(iso8601: message.timestamp.iso8601) == message.timestamp, "a time beyond its years")
        use(message)
    }
    let documents = document.fields.compactMap(\.value.document) + [document]
    for (id, documents) in RoomDocuments.grouped(documents) {
        guard let room = documents.room else { continue }
        precondition(room.id == id, "a room under another's id")
        _ = (documents.participants, documents.base, documents.isDeleted, documents.first)
        _ = HistoryRange(HistoryQuery(.after(0), base: room.historyBase), newest: documents.base ?? 0)
    }
    for value in document.fields.map(\.value) {
        guard let id = value.identifier else { continue }
        let isFound = BSONValue.forms(of: UserID(unchecked: id)).contains { $0.identifier == id }
        precondition(isFound, "no query finds this id")
    }
    if let standing = document.standing {
        var authority = RoomAuthority([standing])
        authority.lift(at: Timestamp(milliseconds: 0))
        precondition(
            authority.isBanned(standing.user) || standing.kind != .ban
                || standing.isOver(at: Timestamp(milliseconds: 0)))
    }
    _ = (document.errorCode, document.affected, document.index(below: 3))
    return 0
}

/// A room that numbers behind this message, and meets it as its own.
private func use(_ message: Message) {
    let draft = MessageDraft(id: message.id, body: message.body, timestamp: message.timestamp)
    var attempt = RoomAttempt(RoomWrite(roomID: message.roomID, lastKnown: message.sequence, messages: [draft]))
    guard !attempt.isFinished else { return }
    _ = attempt.receivedNewest(message.sequence)
    _ = attempt.receivedRepeats([.message(message)])
    _ = attempt.receivedStored([.message(message)])
}
