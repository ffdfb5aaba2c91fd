/// Writes WebSocket frames (RFC 6455 section 5). A server writes them without a mask, a client must give one.
public enum WebSocketEncoder {
    /// Bytes of reason a close frame can carry.
    public static let maximumReasonBytes = WebSocketFrameHeader.maximumControlPayload - 2

    /// Bytes a frame's header takes, for building a frame in place.
    public static func headerLength(payloadBytes: Int, isMasked: Bool = false) -> Int {
        let lengthField = payloadBytes < 126 ? 0 : payloadBytes <= Int(UInt16.max) ? 2 : 8
        return 2 + lengthField + (isMasked ? 4 : 0)
    }

    /// Appends the header of a frame whose payload, masked if there is a mask, the caller appends next.
    /// - Parameter isCompressed: the payload was deflated, which goes into a message's first frame only (RFC 7692).
    public static func appendHeader(
        _ opcode: WebSocketOpcode, payloadBytes: Int, isFinal: Bool = true, isCompressed: Bool = false,
        mask: WebSocketMask? = nil, to output: inout [UInt8]
    ) {
        output.append((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payloadBytes {
        case ..<126:
            output.append(maskBit | UInt8(truncatingIfNeeded: payloadBytes))
        case ...Int(UInt16.max):
            output.append(maskBit | 126)
            appendBigEndian(UInt16(payloadBytes), to: &output)
        default:
            output.append(maskBit | 127)
            appendBigEndian(UInt64(payloadBytes), to: &output)
        }
        if let mask { withUnsafeBytes(of: mask.key.littleEndian) { output.append(contentsOf: $0) } }
    }

    /// Appends a whole frame.
    /// - Parameter isCompressed: the payload was deflated, which goes into a message's first frame only (RFC 7692).
    public static func append(
        _ opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer, isFinal: Bool = true, isCompressed: Bool = false,
        mask: WebSocketMask? = nil, to output: inout [UInt8]
    ) {
        appendHeader(
            opcode, payloadBytes: payload.count, isFinal: isFinal, isCompressed: isCompressed, mask: mask, to: &output)
        let start = output.count
        output.append(contentsOf: payload)
        guard let mask else { return }
        output.withUnsafeMutableBytes { mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Appends a whole frame.
    /// - Parameter isCompressed: the payload was deflated, which goes into a message's first frame only (RFC 7692).
    public static func append(
        _ opcode: WebSocketOpcode, payload: [UInt8], isFinal: Bool = true, isCompressed: Bool = false,
        mask: WebSocketMask? = nil, to output: inout [UInt8]
    ) {
        payload.withUnsafeBytes { bytes in
            append(opcode, payload: bytes, isFinal: isFinal, isCompressed: isCompressed, mask: mask, to: &output)
        }
    }

    /// Appends a close frame. A code that may not travel is left out, and the reason with it; a reason over
    /// `maximumReasonBytes` is cut at the end of a character.
    public static func appendClose(
        code: UInt16?, reason: String = "", mask: WebSocketMask? = nil, to output: inout [UInt8]
    ) {
        var payload: [UInt8] = []
        if let code, WebSocketCloseCode.isAllowedOnWire(code) {
            appendBigEndian(code, to: &payload)
            payload.append(contentsOf: truncated(reason))
        }
        append(.close, payload: payload, mask: mask, to: &output)
    }

    private static func truncated(_ reason: String) -> ArraySlice<UInt8> {
        let bytes = Array(reason.utf8)
        guard bytes.count > maximumReasonBytes else { return bytes[...] }
        var end = maximumReasonBytes
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return bytes[..<end]
    }

    private static func appendBigEndian(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { output.append(contentsOf: $0) }
    }
}
