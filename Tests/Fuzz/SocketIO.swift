import JSON
import WireProtocols

/// Takes the input as messages of one client: a kind, a length, and that many bytes, over and over. The server accepts
/// whatever is asked for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSocketIO(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: data, count: size)
    var settings = SocketIOSettings(namespaces: ["/", "/c"])
    settings.maxPayload = 128
    var session = SocketIOSession(settings: Shared(settings), now: 0)
    let json = JSONParser()
    var position = 0
    while position + 1 < input.count {
        let (kind, length) = (input[position], Int(input[position + 1]))
        let end = min(position + 2 + length, input.count)
        let bytes = UnsafeRawBufferPointer(rebasing: input[position + 2..<end])
        position = end
        let now = Int64(position)
        switch kind % 8 {
        case 0, 1: session.disconnect("/", now: now)
        case 2: _ = session.tick(now: now)
        case 3: check(session.receiveBinary(Array(bytes)), in: bytes, &session)
        default:
            let action = session.receiveText(bytes, in: 0..<bytes.count, json: json, now: now)
            check(action, in: bytes, &session)
        }
    }
    return 0
}

private func check(_ action: SocketIOAction, in bytes: UnsafeRawBufferPointer, _ session: inout SocketIOSession) {
    switch action {
    case .connect(let namespace, let auth):
        precondition(auth.map { bytes[$0].first == UInt8(ascii: "{") } ?? true, "an auth that is no object")
        session.accept(namespace)
        precondition(session.isConnected(to: namespace), "accepted, and not connected")
    case .event(let message):
        precondition(session.isConnected(to: message.namespace), "a message before its namespace")
        let first = message.withPayload(in: bytes) { $0.first }
        precondition(first == UInt8(ascii: "["), "a payload that is no array")
        precondition((message.id ?? 0) <= SocketIOPacket.maximumID, "an id out of range")
    case .close:
        precondition(session.nextDeadline == .max, "a timer of a session that is over")
    case .nothing, .disconnect, .reply:
        break
    }
}
