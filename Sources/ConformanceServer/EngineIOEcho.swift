import Engine
import WireProtocols

/// Engine.IO at `/engine.io/`: sends back every message.
final class EngineIOEcho: EngineIOHandler {
    func received(text bytes: UnsafeRawBufferPointer, in range: Range<Int>, on socket: EngineIOSocket) {
        socket.send([EngineIOPacketType.message.digit] + bytes[range])
    }

    func received(binary: [UInt8], on socket: EngineIOSocket) { socket.send(binary: binary) }
    func transportChanged(_ socket: EngineIOSocket) {}
    func closed(_ socket: EngineIOSocket, reason: EngineIOCloseReason) {}
}
