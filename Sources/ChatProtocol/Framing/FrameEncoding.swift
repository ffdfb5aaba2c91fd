import ChatDomain
import JSON
import WireProtocols

/// The byte forms an event can take on its way out. A broadcast is encoded once for each form that a member of the room needs.
package enum FrameEncoding: Int, CaseIterable, Sendable {
    /// `{"event":"E","data":D}` in a WebSocket frame.
    case event
    case eventDeflated
    /// `{"type":"E",…D}` in a WebSocket frame.
    case type
    case typeDeflated
    /// `42["E",D]` in a WebSocket frame.
    case socketIO
    case socketIODeflated
    /// `42["E",D]` as an Engine.IO packet for a polling payload.
    case socketIOPolling
    /// The three forms of Socket.IO for clients that may recover: a message carries its offset as a last argument.
    case recoverable
    case recoverableDeflated
    case recoverablePolling

    /// This form as the rules of rooms carry it.
    package var form: EventForm { EventForm(code: rawValue) }

    package init(_ framing: RawFraming, deflates: Bool) {
        switch framing {
        case .event: self = deflates ? .eventDeflated : .event
        case .type: self = deflates ? .typeDeflated : .type
        }
    }

    package var deflates: Bool {
        switch self {
        case .eventDeflated, .typeDeflated, .socketIODeflated, .recoverableDeflated: true
        default: false
        }
    }

    package var isWebSocket: Bool { self != .socketIOPolling && self != .recoverablePolling }

    package var isRecoverable: Bool {
        switch self {
        case .recoverable, .recoverableDeflated, .recoverablePolling: true
        default: false
        }
    }

    /// Whether the client speaks flat frames.
    package var isFlat: Bool { self == .type || self == .typeDeflated }

    /// The text around the answer to a request.
    package func answer(_ tag: RequestTag, data: [UInt8], under name: StaticString = "data") -> Envelope {
        if case .acknowledgement(let id) = tag {
            return Envelope(before: .bytes(Array("43\(id)[".utf8)), data: data[...], after: [UInt8(ascii: "]")])
        }
        var head = JSONWriter(reserving: 32)
        head.beginObject()
        head.key(isFlat ? "type" : "event")
        head.string("ack")
        head.tag(tag)
        if isFlat {
            guard data.first == UInt8(ascii: "{") else {
                head.key(name)
                return Envelope(before: .bytes(head.bytes), data: data[...], after: [UInt8(ascii: "}")])
            }
            let comma: [UInt8] = data.count == 2 ? [] : [UInt8(ascii: ",")]
            return Envelope(before: .bytes(head.bytes + comma), data: data.dropFirst(), after: [])
        }
        head.key("data")
        return Envelope(before: .bytes(head.bytes), data: data[...], after: [UInt8(ascii: "}")])
    }

    /// The text around an event's data.
    ///
    /// - Parameter offset: the receiver's position after this event, for the forms that carry it.
    package func envelope(_ event: StaticString, data: [UInt8], offset: MessageOffset? = nil) -> Envelope {
        switch self {
        case .event, .eventDeflated: .event(event, data: data)
        case .type, .typeDeflated: .type(event, data: data)
        case .socketIO, .socketIODeflated, .socketIOPolling: .socketIO(event, data: data)
        case .recoverable, .recoverableDeflated, .recoverablePolling: .socketIO(event, data: data, offset: offset)
        }
    }
}

/// An event's text in three parts, so that its length is known before it is put together.
package struct Envelope {
    /// The text in front of the data.
    fileprivate enum Head {
        case bytes([UInt8])
        /// An event's name between two texts, which takes no memory.
        case name(StaticString, StaticString, StaticString)

        var count: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .name(let a, let b, let c): a.utf8CodeUnitCount + b.utf8CodeUnitCount + c.utf8CodeUnitCount
            }
        }

        func append(to out: inout [UInt8]) {
            switch self {
            case .bytes(let bytes): out.append(contentsOf: bytes)
            case .name(let a, let b, let c):
                Self.append(a, to: &out)
                Self.append(b, to: &out)
                Self.append(c, to: &out)
            }
        }

        private static func append(_ text: StaticString, to out: inout [UInt8]) {
            out.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
    }

    fileprivate var before: Head
    fileprivate var data: ArraySlice<UInt8>
    fileprivate var after: [UInt8]

    package var count: Int { before.count + data.count + after.count }

    package static func event(_ event: StaticString, data: [UInt8]) -> Self {
        Self(before: .name("{\"event\":\"", event, "\",\"data\":"), data: data[...], after: [UInt8(ascii: "}")])
    }

    /// Data that is an object is spread out flat; anything else travels under a name.
    package static func type(_ event: StaticString, data: [UInt8]) -> Self {
        guard data.first == UInt8(ascii: "{") else {
            return Self(
                before: .bytes(Array("{\"type\":\"\(event)\",\"\(name(for: event))\":".utf8)), data: data[...],
                after: [UInt8(ascii: "}")])
        }
        let isEmpty = data.count == 2
        return Self(before: .name("{\"type\":\"", event, isEmpty ? "\"" : "\","), data: data.dropFirst(), after: [])
    }

    package static func socketIO(_ event: StaticString, data: [UInt8], offset: MessageOffset? = nil) -> Self {
        var after: [UInt8] = []
        if let offset {
            var text = JSONWriter()
            text.string(offset.text)
            after = [UInt8(ascii: ",")] + text.bytes
        }
        return Self(before: .name("42[\"", event, "\","), data: data[...], after: after + [UInt8(ascii: "]")])
    }

    private static func name(for event: StaticString) -> String {
        switch "\(event)" {
        case "message_history": "messages"
        case "room_users", "get_online_users", "get_all_online_users", "get_detailed_online_users": "users"
        default: "data"
        }
    }

    package func append(to out: inout [UInt8]) {
        before.append(to: &out)
        out.append(contentsOf: data)
        out.append(contentsOf: after)
    }

    package var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(count)
        append(to: &out)
        return out
    }
}

/// Some events of a room as shared, immutable bytes, once per encoding in use.
package struct EncodedFrames: Sendable {
    /// The first form stands by itself, as most rooms need only one.
    private var first: FrameEncoding?
    private var bytes: [UInt8] = []
    /// The other forms by their numbers; empty where there are none.
    private var others: [[UInt8]] = []

    package init() {}

    package subscript(encoding: FrameEncoding) -> [UInt8] {
        if encoding == first { return bytes }
        return others.isEmpty ? [] : others[encoding.rawValue]
    }

    /// - Parameter deflate: compresses a message for clients that agreed on it; nil where it is too short to be worth it.
    package mutating func append(
        _ event: StaticString, data: [UInt8], offset: MessageOffset? = nil, for encodings: [FrameEncoding],
        deflate: (UnsafeRawBufferPointer) -> [UInt8]?
    ) {
        for encoding in encodings {
            let envelope = encoding.envelope(event, data: data, offset: offset)
            if first == nil { first = encoding }
            guard encoding != first else {
                Self.append(envelope, as: encoding, deflate: deflate, to: &bytes)
                continue
            }
            if others.isEmpty { others = Array(repeating: [], count: FrameEncoding.allCases.count) }
            Self.append(envelope, as: encoding, deflate: deflate, to: &others[encoding.rawValue])
        }
    }

    /// The polling form as WebSocket frames, for a session that moved on while this was under way.
    package func framedPackets(for encoding: FrameEncoding) -> [UInt8] {
        Self.framed(packets: self[encoding.isRecoverable ? .recoverablePolling : .socketIOPolling])
    }

    package static func framed(packets: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        for packet in packets.split(separator: 0x1E) {
            WebSocketEncoder.append(.text, payload: Array(packet), to: &out)
        }
        return out
    }

    package static func append(
        _ envelope: Envelope, as encoding: FrameEncoding, deflate: (UnsafeRawBufferPointer) -> [UInt8]?,
        to out: inout [UInt8]
    ) {
        guard encoding.isWebSocket else {
            if !out.isEmpty { out.append(0x1E) }
            envelope.append(to: &out)
            return
        }
        if encoding.deflates, let squeezed = envelope.bytes.withUnsafeBytes(deflate) {
            WebSocketEncoder.append(.text, payload: squeezed, isCompressed: true, to: &out)
            return
        }
        out.reserveCapacity(out.count + envelope.count + 10)
        WebSocketEncoder.appendHeader(.text, payloadBytes: envelope.count, to: &out)
        envelope.append(to: &out)
    }
}

extension JoinRequest {
    /// The form that the request was made with.
    package var encoding: FrameEncoding { FrameEncoding(rawValue: form.code) ?? .event }
}
