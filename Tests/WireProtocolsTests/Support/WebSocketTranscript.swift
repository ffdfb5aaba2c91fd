import Testing

@testable import WireProtocols

/// Drip-feeds `input` to a WebSocket decoder.
func observe(
    _ input: [UInt8], splits: Int = .max, role: WebSocketRole = .server, maximumMessageBytes: Int = 1 << 20,
    acceptsCompressed: Bool = false
) -> [WebSocketObservation] {
    dripFeed(input, splits: splits) {
        var decoder = WebSocketDecoder(
            .init(role: role, maximumMessageBytes: maximumMessageBytes, acceptsCompressed: acceptsCompressed))
        return { buffer in decoder.next(&buffer).map { WebSocketObservation($0, in: buffer) } }
    }
}

/// A frame as a client sends it.
func clientFrame(
    _ opcode: WebSocketOpcode, _ payload: [UInt8] = [], isFinal: Bool = true, isCompressed: Bool = false
) -> [UInt8] {
    var frame: [UInt8] = []
    WebSocketEncoder.append(
        opcode, payload: payload, isFinal: isFinal, isCompressed: isCompressed,
        mask: WebSocketMask(key: 0x9A3C_71E5), to: &frame)
    return frame
}

func clientFrame(_ opcode: WebSocketOpcode, _ payload: String, isFinal: Bool = true) -> [UInt8] {
    clientFrame(opcode, Array(payload.utf8), isFinal: isFinal)
}
