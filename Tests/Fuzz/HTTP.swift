import WireProtocols

/// What a request says must not depend on how its bytes are cut, nor on whether its head came before, and nothing in it may stop the
/// process.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTP(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (seed, bytes) = seedAndBytes(start, count) else { return 0 }
    let whole = feed([bytes[...]], to: decoder())
    let cut = feed(pieces(of: bytes, seed: seed), to: decoder())
    precondition(whole == cut, "the result depends on how the input is cut")
    let kept = feed([bytes[...]], to: decoder(keptHeads: 4))
    precondition(whole == kept, "the result depends on what came before")
    return 0
}

private func decoder(keptHeads: Int = 0) -> (inout InputBuffer) -> [HTTPObservation]? {
    var decoder = HTTPRequestDecoder(.init(headBytes: 512, bodyBytes: 64))
    var heads = HTTPHeadMemory(capacity: keptHeads)
    return { buffer in
        let action = decoder.next(&buffer, heads: &heads, rule: { _ in .collected })
        if case .head(let head) = action { look(at: head) }
        return HTTPObservation(action).map { [$0] }
    }
}

/// Uses everything a head offers.
private func look(at head: HTTPRequestHead) {
    let segments = head.target.pathSegments
    precondition(segments == nil || head.path != nil || head.target.raw == "*", "segments decode, their path does not")
    for field in head.headers {
        precondition(head.headers.values(of: field.name).contains(field.value), "a field is not found by its name")
        precondition(!field.value.utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 }, "a line end within a value")
        _ = head.headers.listMembers(of: field.name)
    }
    _ = head.target.queryItems
    guard let handshake = try? WebSocketHandshake(head, deflate: .init()) else { return }
    precondition(head.method == "GET" && head.framing == .none, "a handshake that must be refused")
    _ = HTTPResponseEncoder.encode(handshake.response { $0 }, date: "", keepsAlive: true)
}
