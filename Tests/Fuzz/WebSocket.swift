import WireProtocols

/// What frames say must not depend on how their bytes are cut; a decoded message must survive being sent again, and text
/// must be what the standard library takes for text.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocket(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (seed, bytes) = seedAndBytes(start, count) else { return 0 }
    let whole = feed([bytes[...]], to: decoder(.server))
    let cut = feed(pieces(of: bytes, seed: seed), to: decoder(.server))
    precondition(whole == cut, "the result depends on how the input is cut")
    for observation in whole { checkRoundTrip(observation) }
    return 0
}

private func decoder(_ role: WebSocketRole) -> (inout InputBuffer) -> WebSocketObservation? {
    var decoder = WebSocketDecoder(.init(role: role, maximumMessageBytes: 300, acceptsCompressed: true))
    return { buffer in decoder.next(&buffer).map { WebSocketObservation($0, in: buffer) } }
}

private func checkRoundTrip(_ observation: WebSocketObservation) {
    var frame: [UInt8] = []
    switch observation {
    case .text(let bytes, let isCompressed):
        precondition(isCompressed || String(validating: bytes, as: UTF8.self) != nil, "text that is not UTF-8")
        WebSocketEncoder.append(.text, payload: bytes, isCompressed: isCompressed, to: &frame)
    case .binary(let bytes, let isCompressed):
        WebSocketEncoder.append(.binary, payload: bytes, isCompressed: isCompressed, to: &frame)
    case .ping(let bytes): WebSocketEncoder.append(.ping, payload: bytes, to: &frame)
    case .pong(let bytes): WebSocketEncoder.append(.pong, payload: bytes, to: &frame)
    case .close(let code, let reason): WebSocketEncoder.appendClose(code: code, reason: reason, to: &frame)
    case .failure: return
    }
    precondition(feed([frame[...]], to: decoder(.client)) == [observation], "lost on the way back")
}
