import ChatDomain
import JSON

/// The two ways a raw connection frames events: `{"event","data"}` and flat `{"type",…}`.
public enum RawFraming: Sendable, Hashable {
    case event
    case type
}

/// How a client names a request whose answer it wants to recognise.
enum RequestTag: Hashable, Sendable {
    case number(Int64)
    case text(String)
    /// A Socket.IO acknowledgement id.
    case acknowledgement(UInt64)
}

/// One raw frame, taken apart.
struct RawFrame {
    let framing: RawFraming
    let event: String
    let data: JSONElement?
    let tag: RequestTag?

    /// - Throws: `bad_frame` for what is not an object with exactly one of `event` and `type`, a text.
    init(_ root: JSONElement) throws(ChatError) {
        guard root.kind == .object else { throw Self.refusal("a frame is a JSON object") }
        let names = (root["event"], root["type"])
        switch names {
        case (let event?, nil):
            framing = .event
            self.event = try Self.name(event)
            data = root["data"]
        case (nil, let type?):
            framing = .type
            event = try Self.name(type)
            data = root
        default:
            throw Self.refusal("a frame has either \"event\" or \"type\"")
        }
        if let id = root["id"] { tag = try Self.tag(id) } else { tag = nil }
    }

    private static func name(_ element: JSONElement) throws(ChatError) -> String {
        guard let name = element.string else { throw refusal("an event's name is a string") }
        return name
    }

    private static func tag(_ id: JSONElement) throws(ChatError) -> RequestTag? {
        if id.isNull { return nil }
        if let number = id.integer { return .number(number) }
        if let text = id.string, text.utf8.count <= 128 { return .text(text) }
        throw refusal("id is an integer or a string of at most 128 bytes")
    }

    static func refusal(_ message: String) -> ChatError { ChatError(.badFrame, message) }
}
