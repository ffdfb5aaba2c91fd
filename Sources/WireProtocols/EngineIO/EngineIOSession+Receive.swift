/// What the client sent, and what to do about it.
public enum EngineIOReceipt: Hashable, Sendable {
    case nothing
    /// A text message; the range is its content in the bytes given.
    case text(Range<Int>)
    case binary([UInt8])
    /// The session is over.
    case close(EngineIOCloseReason)
}

extension EngineIOSession {
    /// A text message came on the session's WebSocket.
    public mutating func receiveText(_ bytes: UnsafeRawBufferPointer, now: Int64) -> EngineIOReceipt {
        guard phase == .webSocket else { return .nothing }
        guard bytes.count <= settings.maxPayload else { return close(.malformed(.tooBig)) }
        do throws(EngineIOPacketError) {
            return try take(EngineIOPacket.decode(text: bytes, in: 0..<bytes.count), in: bytes, now: now)
        } catch {
            return close(.malformed(error))
        }
    }

    /// A binary message came on the session's WebSocket.
    public mutating func receiveBinary(_ bytes: UnsafeRawBufferPointer, now: Int64) -> EngineIOReceipt {
        guard phase == .webSocket else { return .nothing }
        guard bytes.count <= settings.maxPayload else { return close(.malformed(.tooBig)) }
        return .binary(Array(bytes))
    }

    /// The next packet of a POST's body; nil behind the last one. A POST that began before the upgrade is still taken.
    public mutating func receivePacket(
        from payload: inout EngineIOPayloadReader, in body: UnsafeRawBufferPointer, now: Int64
    ) -> EngineIOReceipt? {
        guard closeReason == nil else { return nil }
        do throws(EngineIOPacketError) {
            guard let packet = try payload.next(in: body) else { return nil }
            return try take(packet, in: body, now: now)
        } catch {
            return close(.malformed(error))
        }
    }

    private mutating func take(
        _ packet: EngineIOPacket, in bytes: UnsafeRawBufferPointer, now: Int64
    ) throws(EngineIOPacketError) -> EngineIOReceipt {
        if packet.type == .close { return close(.clientClosed) }
        // The server has said its last word; what crosses it is not answered.
        guard phase != .closing else { return .nothing }
        switch packet.type {
        case .message:
            return packet.encoding == .text ? .text(packet.content) : .binary(try packet.binaryContent(in: bytes))
        case .pong:
            pongReceived(now: now)
            return .nothing
        case .noop, .close:
            return .nothing
        case .open, .ping, .upgrade:
            return close(.unexpectedPacket(packet.type))
        }
    }

    private mutating func close(_ reason: EngineIOCloseReason) -> EngineIOReceipt {
        end(reason)
        return .close(reason)
    }
}
