import ChatDomain
import JSON

/// A room's write on its way to the instance that numbers the room, and its outcome on the way back.
package enum RoomWriteCodec {
    /// A write, with the traces its messages belong to.
    package struct Forward {
        package var write: RoomWrite
        package var traces: [MessageID: String]

        package init(write: RoomWrite, traces: [MessageID: String]) {
            self.write = write
            self.traces = traces
        }
    }

    // MARK: Writes

    package static func encode(_ forward: Forward) -> [UInt8] {
        let write = forward.write
        return EventJSON.object { out in
            out.member("lastSeq", write.lastKnown)
            out.key("participants")
            out.array(write.newParticipants) { $0.string($1.value) }
            out.key("readMarks")
            out.array(write.readMarks) { out, mark in out.object { $0.mark(mark) } }
            out.key("messages")
            out.array(write.drafts) { out, draft in
                switch draft {
                case .message(let message): MessageJSON.encode(message, into: &out)
                case .change(let change): ChangeDraftJSON.encode(change, into: &out)
                }
            }
            out.key("traces")
            out.array(write.drafts) { out, draft in
                if let trace = forward.traces[draft.id] { out.string(trace) } else { out.null() }
            }
        }
    }

    /// nil for anything this server would not have written: a write is taken as a whole or not at all.
    package static func forward(_ root: JSONElement, in room: RoomID) -> Forward? {
        guard let known = MessageNumbers.boundary(root["lastSeq"]?.integer),
            let participants = list(root["participants"], { userID($0) }),
            let marks = list(root["readMarks"], { mark($0) }),
            let drafts = list(root["messages"], draft),
            let traces = list(root["traces"], { Optional.some($0.string) }), traces.count == drafts.count
        else { return nil }
        var forward = Forward(
            write: RoomWrite(
                roomID: room, lastKnown: known, newParticipants: participants, readMarks: marks, drafts: drafts),
            traces: [:])
        for (draft, trace) in zip(drafts, traces) { forward.traces[draft.id] = trace }
        return forward
    }

    private static func draft(_ entry: JSONElement) -> RoomDraft? {
        ChangeDraftJSON.isChange(entry)
            ? ChangeDraftJSON.decode(entry).map { .change($0) } : MessageJSON.draft(entry).map { .message($0) }
    }

    // MARK: Outcomes

    package static func encode(_ outcome: RoomWriteOutcome) -> [UInt8] {
        EventJSON.object { out in
            out.key("messages")
            out.array(outcome.drafts) { out, draft in out.object { $0.outcome(draft) } }
            out.key("readMarks")
            out.array(outcome.readMarks) { out, mark in
                out.object { out in
                    switch mark {
                    case .success(let hasMoved):
                        out.member("moved", hasMoved)
                    case .failure(let error): out.failure(error)
                    }
                }
            }
            if let failure = outcome.participantsFailure {
                out.key("participants")
                out.object { $0.failure(failure) }
            }
            out.key("unrecorded")
            out.array(outcome.unrecordedParticipants.sorted()) { $0.string($1.value) }
        }
    }

    /// nil for anything this server would not have written.
    package static func outcome(_ root: JSONElement, in room: RoomID) -> RoomWriteOutcome? {
        guard let drafts = list(root["messages"], { draftOutcome($0, in: room) }),
            let marks = list(root["readMarks"], markOutcome),
            let unrecorded = list(root["unrecorded"], { userID($0) })
        else { return nil }
        var outcome = RoomWriteOutcome(
            roomID: room, drafts: drafts, readMarks: marks, participantsFailure: root["participants"].flatMap(failure))
        outcome.unrecordedParticipants = Set(unrecorded)
        return outcome
    }

    private static func draftOutcome(_ entry: JSONElement, in room: RoomID) -> RoomWriteOutcome.Draft? {
        if entry["conflict"]?.bool == true { return .conflict }
        if let failure = failure(entry) { return .failed(failure) }
        if let code = entry["refused"]?.string {
            guard let code = ChatError.Code(rawValue: code), let message = entry["message"]?.string else { return nil }
            return .refused(ChatError(code, message))
        }
        if entry["unchanged"]?.bool == true {
            guard let count = entry["count"] else { return .unchanged(count: nil) }
            return count.integer.flatMap { Int(exactly: $0) }.map { .unchanged(count: $0) }
        }
        if let change = entry["changed"] { return ChangeJSON.decode(change, in: room).map { .changed($0) } }
        if let change = entry["repeated"] { return ChangeJSON.decode(change, in: room).map { .repeated($0) } }
        guard let sequence = MessageNumbers.message(entry["seq"]?.integer) else { return nil }
        guard let text = entry["duplicateOf"]?.string else { return .stored(sequence) }
        guard let id = MessageID(text), let time = entry["timestamp"]?.integer else { return nil }
        return .duplicate(id: id, sequence: sequence, timestamp: Timestamp(milliseconds: time))
    }

    private static func markOutcome(_ entry: JSONElement) -> Result<Bool, StoreError>? {
        if let failure = failure(entry) { return .failure(failure) }
        return entry["moved"]?.bool.map { .success($0) }
    }

    private static func failure(_ entry: JSONElement) -> StoreError? {
        if let reason = entry["unavailable"]?.string { return .unavailable(reason: reason) }
        return entry["rejected"]?.string.map { .rejected(reason: $0) }
    }

    private static func mark(_ entry: JSONElement) -> ReadMark? {
        guard let user = userID(entry["userId"]), let number = MessageNumbers.boundary(entry["seq"]?.integer) else {
            return nil
        }
        return ReadMark(userID: user, sequence: number)
    }

    private static func userID(_ value: JSONElement?) -> UserID? {
        value?.string.flatMap { try? UserID(validating: $0, field: "userId") }
    }

    /// nil unless it is an array of which every element can be read.
    private static func list<Value>(_ element: JSONElement?, _ read: (JSONElement) -> Value?) -> [Value]? {
        guard let element, element.kind == .array else { return nil }
        var values: [Value] = []
        for entry in element.elements {
            guard let value = read(entry) else { return nil }
            values.append(value)
        }
        return values
    }
}

extension JSONWriter {
    fileprivate mutating func outcome(_ draft: RoomWriteOutcome.Draft) {
        switch draft {
        case .stored(let sequence):
            member("seq", sequence)
        case .duplicate(let id, let sequence, let timestamp):
            member("seq", sequence)
            key("duplicateOf")
            self.id(id)
            member("timestamp", timestamp.milliseconds)
        case .changed(let change):
            key("changed")
            ChangeJSON.encodeWithEvent(change, into: &self)
        case .repeated(let change):
            key("repeated")
            ChangeJSON.encodeWithEvent(change, into: &self)
        case .unchanged(let count):
            member("unchanged", true)
            if let count { member("count", count) }
        case .refused(let error):
            member("refused", error.code.rawValue)
            member("message", error.message)
        case .conflict:
            member("conflict", true)
        case .failed(let error): failure(error)
        }
    }

    fileprivate mutating func failure(_ error: StoreError) {
        switch error {
        case .unavailable(let reason):
            member("unavailable", reason)
        case .rejected(let reason):
            member("rejected", reason)
        }
    }
}
