import WireProtocols

/// A decoder's event without the buffer it may point into.
enum WebSocketObservation: Equatable {
    case text([UInt8], isCompressed: Bool = false)
    case binary([UInt8], isCompressed: Bool = false)
    case ping([UInt8])
    case pong([UInt8])
    case close(UInt16?, String)
    case failure(UInt16)

    init(_ event: WebSocketDecoder.Event, in buffer: InputBuffer) {
        switch event {
        case .message(let kind, let isCompressed, let payload):
            let bytes =
                switch payload {
                case .slice(let slice): buffer.bytes(of: slice)
                case .assembled(let bytes): bytes
                }
            self = kind == .text ? .text(bytes, isCompressed: isCompressed) : .binary(bytes, isCompressed: isCompressed)
        case .ping(let bytes): self = .ping(bytes)
        case .pong(let bytes): self = .pong(bytes)
        case .close(let code, let reason): self = .close(code, reason)
        case .failure(let code, _): self = .failure(code)
        }
    }

    static func text(_ text: String) -> WebSocketObservation { .text(Array(text.utf8)) }
}
