/// Reads WebSocket frames (RFC 6455 section 5) out of an `InputBuffer` and hands out whole messages.
///
/// Call `next` until it answers nil, then read more. A message that lies in the buffer as one complete frame is handed
/// out in place, without a copy or an allocation; anything else is assembled as it arrives, in memory that grows with
/// the bytes that came and not with the length that was announced. After `.close` and `.failure` nothing more is read: further bytes are
/// dropped.
public struct WebSocketDecoder: Sendable {
    public struct Configuration: Sendable {
        /// Bytes a message may have as it travels, all its fragments together; more is a failure with code 1009.
        /// The inflater bounds an inflated message.
        public var maximumMessageBytes: Int
        public var role: WebSocketRole
        /// Whether permessage-deflate was agreed on (RFC 7692), so that a message's first frame may have RSV1 set.
        public var acceptsCompressed: Bool

        public init(role: WebSocketRole = .server, maximumMessageBytes: Int, acceptsCompressed: Bool = false) {
            self.role = role
            self.maximumMessageBytes = maximumMessageBytes
            self.acceptsCompressed = acceptsCompressed
        }
    }

    public enum MessageKind: Sendable, Equatable {
        case text
        case binary
    }

    /// A message's bytes, unmasked.
    public enum Payload: Sendable, Equatable {
        /// In the input buffer, and there until bytes are next written into it.
        case slice(InputBuffer.Slice)
        /// In an array of its own, with capacity for at least `InputBuffer.padding` bytes more.
        case assembled([UInt8])
    }

    public enum Event: Sendable, Equatable {
        /// Text was checked to be UTF-8, unless it is compressed: then that is due after inflation.
        case message(kind: MessageKind, isCompressed: Bool, payload: Payload)
        case ping([UInt8])
        case pong([UInt8])
        /// The other side closes; no code is RFC 6455's 1005.
        case close(code: UInt16?, reason: String)
        /// The other side broke the protocol: the connection is to be closed with this code.
        case failure(code: UInt16, reason: String)
    }

    /// A data message of which some, but not all, has come.
    private struct Assembly {
        var bytes: [UInt8] = []
        let kind: MessageKind
        let isCompressed: Bool
        var validator = UTF8Validator()

        /// Bytes that come are to be checked while they come.
        var isPlainText: Bool { kind == .text && !isCompressed }
    }

    private enum Phase {
        case header
        /// Within a data frame, `received` of whose payload's bytes have been taken. On the heap, as most frames come whole.
        indirect case payload(WebSocketFrameHeader, received: Int)
        case finished
    }

    private typealias Violation = WebSocketFrameHeader.Violation

    public let configuration: Configuration
    private var phase = Phase.header
    private var assembly: Assembly?

    public init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// The next event, or nil when more bytes are needed; takes the bytes it has understood out of `buffer`.
    public mutating func next(_ buffer: inout InputBuffer) -> Event? {
        do throws(Violation) {
            while true {
                switch phase {
                case .header:
                    guard let header = try readHeader(buffer) else { return nil }
                    if let event = try begin(header, in: &buffer) { return event }
                    guard case .payload = phase else { return nil }
                case .payload(let header, let received):
                    let event = try receive(header, received: received, from: &buffer)
                    if event != nil { return event }
                    guard case .header = phase else { return nil }
                case .finished:
                    buffer.consume(buffer.count)
                    return nil
                }
            }
        } catch {
            phase = .finished
            assembly = nil
            return .failure(code: error.code, reason: error.reason)
        }
    }

    private func readHeader(_ buffer: InputBuffer) throws(Violation) -> WebSocketFrameHeader? {
        let header = try buffer.withUnsafeBytes { (bytes) throws(Violation) in
            try WebSocketFrameHeader.parse(
                bytes, role: configuration.role, acceptsCompressed: configuration.acceptsCompressed)
        }
        guard let header, !header.opcode.isControl else { return header }
        try checkSequence(header)
        let before = assembly?.bytes.count ?? 0
        guard header.payloadLength <= configuration.maximumMessageBytes - before else {
            throw Violation(code: WebSocketCloseCode.tooBig, reason: "message too big")
        }
        return header
    }

    private func checkSequence(_ header: WebSocketFrameHeader) throws(Violation) {
        let continues = header.opcode == .continuation
        if continues, assembly == nil { throw Violation(reason: "continuation of nothing") }
        if !continues, assembly != nil { throw Violation(reason: "new message within a fragmented one") }
    }

    /// Starts the frame whose header was read. A nil answer means that its payload has to be waited for.
    private mutating func begin(
        _ header: WebSocketFrameHeader, in buffer: inout InputBuffer
    ) throws(Violation) -> Event? {
        let isWhole = buffer.count - header.headerLength >= header.payloadLength
        if header.opcode.isControl {
            return isWhole ? try control(header, payload: takeUnmasked(header, from: &buffer), in: buffer) : nil
        }
        if isWhole, header.isFinal, header.opcode != .continuation {
            return try message(header, payload: takeUnmasked(header, from: &buffer), in: buffer)
        }
        buffer.consume(header.headerLength)
        if header.opcode != .continuation {
            assembly = Assembly(kind: Self.kind(of: header), isCompressed: header.isCompressed)
        }
        phase = .payload(header, received: 0)
        return nil
    }

    /// A message that lies in the buffer as one frame.
    private func message(
        _ header: WebSocketFrameHeader, payload: InputBuffer.Slice, in buffer: InputBuffer
    ) throws(Violation) -> Event {
        let kind = Self.kind(of: header)
        if kind == .text, !header.isCompressed {
            guard buffer.withUnsafeBytes(of: payload, UTF8Validator.isValid) else { throw Self.invalidText }
        }
        return .message(kind: kind, isCompressed: header.isCompressed, payload: .slice(payload))
    }

    /// Adds the bytes of a data frame's payload that have come to the message.
    private mutating func receive(
        _ header: WebSocketFrameHeader, received: Int, from buffer: inout InputBuffer
    ) throws(Violation) -> Event? {
        let length = min(buffer.count, header.payloadLength - received)
        buffer.withUnsafeMutablePrefix(length) { header.maskKey.advanced(by: received).apply(to: $0) }
        let isValid = buffer.withUnsafeBytes(in: 0..<length) { bytes in
            assembly?.bytes.append(contentsOf: bytes)
            return assembly?.isPlainText != true || assembly?.validator.append(bytes) == true
        }
        buffer.consume(length)
        guard isValid else { throw Self.invalidText }
        guard received + length == header.payloadLength else {
            phase = .payload(header, received: received + length)
            return nil
        }
        phase = .header
        return header.isFinal ? try finishAssembly() : nil
    }

    private mutating func finishAssembly() throws(Violation) -> Event? {
        guard var whole = assembly.take() else { return nil }
        guard !whole.isPlainText || whole.validator.isComplete else { throw Self.invalidText }
        whole.bytes.reserveCapacity(whole.bytes.count + InputBuffer.padding)
        return .message(kind: whole.kind, isCompressed: whole.isCompressed, payload: .assembled(whole.bytes))
    }

    private mutating func control(
        _ header: WebSocketFrameHeader, payload: InputBuffer.Slice, in buffer: InputBuffer
    ) throws(Violation) -> Event {
        let bytes = buffer.bytes(of: payload)
        switch header.opcode {
        case .ping: return .ping(bytes)
        case .pong: return .pong(bytes)
        default:
            let event = try Self.close(bytes)
            phase = .finished
            assembly = nil
            return event
        }
    }

    /// RFC 6455 section 5.5.1: nothing, or a code and a reason in UTF-8.
    private static func close(_ payload: [UInt8]) throws(Violation) -> Event {
        if payload.isEmpty { return .close(code: nil, reason: "") }
        guard payload.count >= 2 else { throw Violation(reason: "close payload of one byte") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        guard WebSocketCloseCode.isAllowedOnWire(code) else {
            throw Violation(reason: "close code not allowed on the wire")
        }
        let reason = Array(payload[2...])
        guard UTF8Validator.isValid(reason) else {
            throw Violation(code: WebSocketCloseCode.invalidPayload, reason: "close reason is not UTF-8")
        }
        return .close(code: code, reason: String(decoding: reason, as: UTF8.self))
    }

    private func takeUnmasked(
        _ header: WebSocketFrameHeader, from buffer: inout InputBuffer
    ) -> InputBuffer.Slice {
        buffer.consume(header.headerLength)
        buffer.withUnsafeMutablePrefix(header.payloadLength) { header.maskKey.apply(to: $0) }
        return buffer.takeSlice(header.payloadLength)
    }

    private static func kind(of header: WebSocketFrameHeader) -> MessageKind {
        header.opcode == .text ? .text : .binary
    }

    private static var invalidText: Violation {
        Violation(code: WebSocketCloseCode.invalidPayload, reason: "text is not UTF-8")
    }
}
