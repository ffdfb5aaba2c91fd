import ChatDomain
import ChatProtocol
import JSON

/// A question that an instance is asked, by itself or by another one, and an act that it is asked for.
package enum FleetQuestion: Hashable, Sendable {
    case sessions(SessionQuery)
    case rooms(RoomQuery)
    case stats
    /// The instance is to refuse new sessions and to send away those that it has.
    case drain
    /// The instance is to read its configuration again.
    case reload

    /// How long the instance that asks waits for answers. A reload may fetch a key set.
    package var deadline: Duration { self == .reload ? .seconds(10) : .seconds(2) }

    /// nil for what is no question.
    package init?(decoding payload: [UInt8]) {
        guard let root = try? JSONValue(parsing: payload) else { return nil }
        switch root["ask"]?.string {
        case "sessions":
            guard let query = SessionQuery(root) else { return nil }
            self = .sessions(query)
        case "rooms":
            guard let query = RoomQuery(root) else { return nil }
            self = .rooms(query)
        case "stats": self = .stats
        case "drain": self = .drain
        case "reload": self = .reload
        default: return nil
        }
    }

    package var encoded: [UInt8] {
        EventJSON.object { out in
            out.key("ask")
            switch self {
            case .sessions(let query):
                out.string("sessions")
                query.write(into: &out)
            case .rooms(let query):
                out.string("rooms")
                query.write(into: &out)
            case .stats: out.string("stats")
            case .drain: out.string("drain")
            case .reload: out.string("reload")
            }
        }
    }
}

/// Names a question between instances.
package struct FleetTicket: Hashable, Sendable {
    /// The instance that asks.
    package var asker: InstanceID
    package var number: UInt64
}

/// A part of an id or a name that is searched for, without regard to the case of ASCII letters.
package struct TextFilter: Hashable, Sendable {
    package static let maximumCharacters = 128

    package let text: String
    private let needle: [UInt8]

    package init(_ text: String) {
        self.text = text
        needle = text.utf8.map(Self.lowercased)
    }

    package func matches(_ candidate: String) -> Bool {
        guard let first = needle.first else { return true }
        let bytes = Array(candidate.utf8)
        guard bytes.count >= needle.count else { return false }
        return (0...(bytes.count - needle.count)).contains { start in
            Self.lowercased(bytes[start]) == first
                && zip(bytes[start...], needle).allSatisfy { Self.lowercased($0) == $1 }
        }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}

extension JSONValue {
    /// The search text of a question; nil where there is none or it is too long.
    var filter: TextFilter? {
        self["text"]?.string.flatMap { ShortText.isFit($0, maximumCharacters: TextFilter.maximumCharacters) ? $0 : nil }
            .map { TextFilter($0) }
    }

    /// A number within the range; nil for anything else.
    func count(_ name: String, in range: ClosedRange<Int>) -> Int? {
        self[name]?.integer.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
    }
}
