import JSON

/// How a client writes and reads events.
enum BenchFraming {
    case event
    case socketIO

    func text(_ event: String, _ data: String) -> String {
        switch self {
        case .event: #"{"event":"\#(event)","data":\#(data)}"#
        case .socketIO: #"42["\#(event)",\#(data)]"#
        }
    }

    /// The event's name and data; nil when the text is not an event. Valid until the parser is used again.
    func read(_ bytes: UnsafeRawBufferPointer, _ parser: JSONParser) -> (event: String, data: JSONElement?)? {
        switch self {
        case .event:
            guard let root = try? parser.parse(bytes), let event = root["event"]?.string else { return nil }
            return (event, root["data"])
        case .socketIO:
            guard bytes.count > 2, bytes[0] == UInt8(ascii: "4"), bytes[1] == UInt8(ascii: "2"),
                let root = try? parser.parse(UnsafeRawBufferPointer(rebasing: bytes[2...])), root.kind == .array
            else { return nil }
            let elements = root.elements
            return elements.first?.string.map { ($0, elements.dropFirst().first) }
        }
    }

    /// The id of the instance that a session is on. The id of a session is its instance's, its loop's and its own number.
    static func instance(ofSession id: String) -> String {
        id.split(separator: "-").dropLast(2).joined(separator: "-")
    }
}
