import WireProtocols

/// Takes the input as a script of what clients, the server and time do to one session: an operation, a length, and that
/// many bytes for it, over and over.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzEngineIO(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: data, count: size)
    guard let first = input.first else { return 0 }
    var settings = EngineIOSettings()
    settings.maxPayload = 64
    settings.maxPacketsPerPoll = 3
    var session = EngineIOSession(over: first & 1 == 0 ? .polling : .webSocket, settings: Shared(settings), now: 0)
    var now: Int64 = 0
    var position = 1
    while position + 1 < input.count {
        let (operation, length) = (input[position], Int(input[position + 1] % 80))
        let end = min(position + 2 + length, input.count)
        let bytes = UnsafeRawBufferPointer(rebasing: input[position + 2..<end])
        position = end
        now += Int64(operation) * 16
        perform(operation, with: bytes, on: &session, now: now)
        let body = session.flush(now: now)
        precondition(body?.isEmpty != true, "an empty answer to a poll")
        precondition(session.queuedBytes >= 0, "more taken from the queue than was in it")
        precondition(session.closeReason == nil || session.nextDeadline == .max, "a timer of a session that is over")
    }
    return 0
}

private func perform(
    _ operation: UInt8, with bytes: UnsafeRawBufferPointer, on session: inout EngineIOSession, now: Int64
) {
    switch operation % 12 {
    case 0: _ = session.poll()
    case 1: post(bytes, to: &session, now: now)
    case 2: check(session.receiveText(bytes, now: now), in: bytes)
    case 3: check(session.receiveBinary(bytes, now: now), in: bytes)
    case 4: _ = session.openProbe(now: now)
    case 5: _ = session.receiveProbe(bytes, now: now)
    case 6: session.probeClosed()
    case 7: session.enqueue(EngineIOOutgoing(text: [EngineIOPacketType.message.digit] + bytes))
    case 8: session.enqueue(EngineIOOutgoing(binary: Array(bytes)))
    case 9: _ = session.tick(now: now)
    case 10: session.requestAborted()
    default:
        let query = String(decoding: bytes, as: UTF8.self)
        _ = try? EngineIORequest(method: "GET", query: query, isWebSocketUpgrade: operation > 127)
        if operation > 250 { _ = session.close(now: now) }
    }
}

private func post(_ body: UnsafeRawBufferPointer, to session: inout EngineIOSession, now: Int64) {
    guard session.beginPost() == nil else { return }
    var payload = EngineIOPayloadReader(maximumBytes: session.settings.maxPayload)
    var packets = 0
    while let receipt = session.receivePacket(from: &payload, in: body, now: now) {
        check(receipt, in: body)
        packets += 1
    }
    precondition(packets <= body.count + 1, "more packets than bytes")
    session.endPost()
}

private func check(_ receipt: EngineIOReceipt, in bytes: UnsafeRawBufferPointer) {
    guard case .text(let range) = receipt else { return }
    precondition(range.lowerBound > 0 && range.upperBound <= bytes.count, "a range outside the bytes")
}
