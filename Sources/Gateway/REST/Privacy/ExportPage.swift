import ChatDomain
import ChatProtocol
import JSON
import WireProtocols

/// A page of an export: newline-delimited JSON.
struct ExportPage {
    private var bytes: [UInt8] = []

    mutating func line(_ type: String, _ members: (inout JSONWriter) -> Void) {
        bytes += EventJSON.object { out in
            out.member("type", type)
            members(&out)
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func line(_ message: Message) {
        line("message") { out in
            out.key("message")
            out.raw(MessageJSON.encode(message))
        }
    }

    mutating func line(_ flag: MessageFlag, in room: RoomID) {
        line("flag") { out in
            out.member("roomId", room.value)
            out.key("messageId")
            out.id(flag.message)
            out.member("userId", flag.user.value)
            if let reason = flag.reason { out.member("reason", reason) }
            out.member("timestamp", flag.since.milliseconds)
        }
    }

    /// The text of an edit is in its message.
    mutating func line(_ change: MessageChange) {
        line("change") { out in
            out.member("roomId", change.roomID.value)
            out.key("messageId")
            out.id(change.messageID)
            out.member("userId", change.user.userID.value)
            out.member("seq", change.sequence)
            switch change.kind {
            case .edited: out.member("change", "edited")
            case .deleted: out.member("change", "deleted")
            case .pinned(let isPinned): out.member("change", isPinned ? "pinned" : "unpinned")
            case .reaction(let reaction):
                out.member("change", reaction.isRemoved ? "reaction removed" : "reaction")
                out.member("emoji", reaction.emoji.value)
            }
            out.member("timestamp", change.timestamp.milliseconds)
        }
    }

    mutating func line(_ file: StoredFile) {
        line("file") { out in
            out.place(of: file)
            out.describe(file)
            out.member("timestamp", file.uploadedAt.milliseconds)
        }
    }

    /// - Parameter next: the cursor of the next page; nil at the end.
    consuming func response(next: String?) -> HTTPResponse {
        if let next { line("next") { $0.member("cursor", next) } } else { line("end") { _ in } }
        return HTTPResponse(status: 200, fields: [HTTPField("Content-Type", "application/x-ndjson")], body: bytes)
    }
}
