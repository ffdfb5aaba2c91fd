import ChatDomain
import JSON

/// The JSON of what clients see: one function per shape, used by every framing and by REST.
package enum EventJSON {
    package static func messages(_ messages: [Message]) -> [UInt8] {
        var out = JSONWriter(reserving: messages.reduce(16) { $0 + $1.body.approximateBytes + 200 })
        out.array(messages) { MessageJSON.encode($1, into: &$0) }
        return out.bytes
    }

    /// Messages that a session has seen before and that changed since.
    package static func changes(_ changed: [Message], of state: RoomState) -> [UInt8] {
        object { out in
            out.member("roomId", state.roomID.value)
            out.key("messages")
            out.raw(messages(changed))
            out.member("lastSeq", state.lastSequence)
        }
    }

    package static func users(_ users: [RoomUser]) -> [UInt8] {
        var out = JSONWriter()
        out.array(users) { out, user in out.object { $0.user(user) } }
        return out.bytes
    }

    /// The client's view of a room is incomplete or outdated.
    package static func resync(_ room: RoomID, lastSequence: SequenceNumber) -> [UInt8] {
        object { out in
            out.member("roomId", room.value)
            out.member("lastSeq", lastSequence)
        }
    }

    package static func state(_ state: RoomState) -> [UInt8] { object { $0.state(state) } }

    /// The answer to a join: all that its events say, in one object of less than 1 MiB. Where the users would make it larger
    /// fewer of them are listed; `online` counts all.
    ///
    /// - Parameter messages: the view's, as JSON.
    package static func joined(_ view: RoomView, messages: [UInt8]) -> [UInt8] {
        let changes = view.changed.isEmpty ? [] : self.messages(view.changed)
        var rest = maximumAnswerBytes - messages.count - changes.count
        let users = view.users.prefix { user in
            rest -= 32 + 6 * (user.userID.value.utf8.count + user.username.utf8.count)
            return rest > 0
        }
        return success { out in
            out.state(view.state)
            out.key("messages")
            out.raw(messages)
            if !changes.isEmpty {
                out.key("changes")
                out.raw(changes)
            }
            out.key("users")
            out.array(users) { out, user in out.object { $0.user(user) } }
            if !view.readMarks.isEmpty { out.readMarks(view.readMarks) }
            if view.needsResync {
                out.member("resync", true)
            }
        }
    }

    /// The most bytes for messages and users of an answer, so that read marks and the frame around it fit into 1 MiB.
    private static let maximumAnswerBytes = 960 * 1024

    /// The event's name and data for what a room announces.
    package static func announcement(_ announcement: RoomAnnouncement, in room: RoomID) -> (
        event: StaticString, data: [UInt8]
    ) {
        func about(_ user: RoomUser, _ more: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
            object { out in
                out.member("roomId", room.value)
                out.user(user)
                more(&out)
            }
        }
        switch announcement {
        case .joined(let user): return ("user_joined", about(user))
        case .left(let user): return ("user_left", about(user))
        case .typing(let user, let isTyping):
            return (
                "user_typing",
                about(user) {
                    $0.member("isTyping", isTyping)
                }
            )
        case .read(let user, let sequence):
            return ("message_read", read(ReadMark(userID: user.userID, sequence: sequence), in: room))
        case .state(let state): return ("room_state", self.state(state))
        }
    }

    package static func read(_ mark: ReadMark, in room: RoomID) -> [UInt8] {
        object { out in
            out.member("roomId", room.value)
            out.mark(mark)
        }
    }

    /// - Parameters:
    ///   - room: the room that the session is out of, for an error that answers no request.
    ///   - isFlat: whether the frame is flat; flat frames have the time too.
    package static func error(
        _ error: ChatError, event: String?, room: RoomID? = nil, isFlat: Bool, at now: Timestamp
    ) -> [UInt8] {
        object { out in
            out.error(error)
            if let event {
                out.member("event", event)
            }
            if let room {
                out.member("roomId", room.value)
            }
            if isFlat {
                out.member("timestamp", now.iso8601)
            }
        }
    }

    /// The answer to a refused request that asked for one.
    package static func refusal(_ error: ChatError) -> [UInt8] {
        object { out in
            out.member("success", false)
            out.key("error")
            out.object { $0.error(error) }
        }
    }

    /// The answer to a request that was done: `success` and the fields of its reply event.
    package static func success(_ fields: (inout JSONWriter) -> Void = { _ in }) -> [UInt8] {
        object { out in
            out.member("success", true)
            fields(&out)
        }
    }

    /// The same with the fields of an object that is JSON text already; anything else has none.
    package static func success(withFieldsOf data: [UInt8]) -> [UInt8] {
        guard data.first == UInt8(ascii: "{"), data.count > 2 else { return success() }
        // Last, so that it holds whatever the object says of itself.
        return data.dropLast() + Array(",\"success\":true}".utf8)
    }

    package static func object(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
        var out = JSONWriter()
        out.object(members)
        return out.bytes
    }
}

extension JSONWriter {
    /// The members `userId` and `username`.
    package mutating func user(_ user: RoomUser) {
        member("userId", user.userID.value)
        member("username", user.username)
    }

    /// The members `code`, `message` and `retryable`, and `retryAfterMs` where it is known.
    package mutating func error(_ error: ChatError) {
        member("code", error.code.rawValue)
        member("message", error.message)
        member("retryable", error.code.isRetryable)
        if let wait = error.retryAfter {
            member("retryAfterMs", wait.wholeMilliseconds)
        }
    }

    package mutating func state(_ state: RoomState) {
        member("roomId", state.roomID.value)
        member("lastSeq", state.lastSequence)
        member("members", state.members)
        member("online", state.online)
    }

    /// The members `userId` and `seq`.
    package mutating func mark(_ mark: ReadMark) {
        member("userId", mark.userID.value)
        member("seq", mark.sequence)
    }

    /// The member `readMarks`.
    package mutating func readMarks(_ marks: [ReadMark]) {
        key("readMarks")
        array(marks) { out, mark in out.object { $0.mark(mark) } }
    }

    /// The members of a stored message's answer.
    package mutating func sent(id: MessageID, sequence: SequenceNumber, timestamp: Timestamp, isDuplicate: Bool) {
        key("messageId")
        self.id(id)
        member("seq", sequence)
        member("timestamp", timestamp.milliseconds)
        if isDuplicate {
            member("duplicate", true)
        }
    }

    /// The members of a change's answer.
    package mutating func changed(_ receipt: ChangeReceipt) {
        key("messageId")
        id(receipt.messageID)
        if let sequence = receipt.sequence { member("seq", sequence) }
        member("timestamp", receipt.timestamp.milliseconds)
        if let count = receipt.count { member("count", count) }
        if receipt.isUnchanged { member("unchanged", true) }
        if receipt.isDuplicate { member("duplicate", true) }
    }
}
