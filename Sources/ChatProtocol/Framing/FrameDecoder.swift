import ChatDomain
import JSON

/// The two ways a raw connection frames events: `{"event","data"}` and flat `{"type",…}`.
public enum RawFraming: Sendable, Hashable {
    case event
    case type
}

/// How a client names a request whose answer it wants to recognise.
package enum RequestTag: Hashable, Sendable {
    case number(Int64)
    /// A number that is no such integer, as JSON text: `1.5`, or the double that stands for one outside 64 bits.
    case literal(String)
    case text(String)
    /// A Socket.IO acknowledgement id.
    case acknowledgement(UInt64)
}

/// One raw frame, taken apart.
package struct RawFrame {
    package let framing: RawFraming
    package let event: String
    package let data: JSONElement?

    /// - Throws: `bad_frame` for what is not an object with exactly one of `event` and `type`, a text.
    package init(_ root: JSONElement) throws(ChatError) {
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
    }

    private static func name(_ element: JSONElement) throws(ChatError) -> String {
        guard let name = element.string else { throw refusal("an event's name is a string") }
        return name
    }

    package static func refusal(_ message: String) -> ChatError { ChatError(.badFrame, message) }

    package static func refusal(_ error: JSONError, expecting shape: String) -> ChatError {
        refusal(error == .tooDeep ? "JSON nested too deep" : shape)
    }
}

extension RequestTag {
    private static let maximumBytes = 128

    /// The `id` of a frame, whatever else the frame holds; nil when it has none.
    ///
    /// - Throws: `bad_frame` for an id that is neither a number nor a short text.
    package init?(of frame: JSONElement) throws(ChatError) {
        guard let id = frame["id"], !id.isNull else { return nil }
        guard let tag = RequestTag(id) else {
            throw RawFrame.refusal("id is a number or a string of at most \(Self.maximumBytes) bytes")
        }
        self = tag
    }

    /// The `id` of a frame that is no JSON, or JSON nested too deep; nil where none can be found.
    package init?(ofUnreadable frame: UnsafeRawBufferPointer, parser: JSONParser) {
        guard let range = JSONMemberScan.scalar("id", in: frame),
            let id = try? parser.parseMending(UnsafeRawBufferPointer(rebasing: frame[range]))
        else { return nil }
        self.init(id)
    }

    private init?(_ id: JSONElement) {
        if let number = id.integer {
            self = .number(number)
        } else if let text = id.string, text.utf8.count <= Self.maximumBytes {
            self = .text(text)
        } else if id.number != nil {
            self = .literal(String(decoding: id.serialized, as: UTF8.self))
        } else {
            return nil
        }
    }
}

extension JSONWriter {
    /// The member `id`, as the client gave it.
    package mutating func tag(_ tag: RequestTag) {
        switch tag {
        case .number(let number):
            member("id", number)
        case .literal(let number):
            key("id")
            raw(number.utf8)
        case .text(let text):
            member("id", text)
        case .acknowledgement: break
        }
    }
}
