import EventLoop
import WireProtocols

/// Carries one client's texts to the server and back. Confined to its loop.
protocol BenchChannel: AnyObject {
    func send(_ text: String)
    /// Closes the connection without a closing handshake. No event follows.
    func close()
}

/// A report of a channel.
enum BenchChannelEvent {
    case opened
    /// A received text; valid during the call.
    case text(UnsafeRawBufferPointer)
    case lost(String)
}

/// Carries texts as WebSocket messages (RFC 6455).
final class BenchWebSocketChannel: BenchChannel {
    private let report: (BenchChannelEvent) -> Void
    private var decoder = WebSocketDecoder(.init(role: .client, maximumMessageBytes: 16 << 20))
    private var isUpgraded = false
    private var socket: BenchSocket?

    init(
        _ context: BenchContext, path: String, report: @escaping (BenchChannelEvent) -> Void
    ) throws(ConnectError) {
        self.report = report
        let socket = try BenchSocket(
            context, received: { [unowned self] in received(&$0) }, lost: { report(.lost($0)) })
        self.socket = socket
        socket.send(
            Array(
                """
                GET \(path) HTTP/1.1\r\nHost: \(context.host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n
                """.utf8))
    }

    func send(_ text: String) { send(.text, Array(text.utf8)) }

    private func send(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        var frame: [UInt8] = []
        WebSocketEncoder.append(opcode, payload: payload, mask: WebSocketMask(key: 0x5A17_C3E9), to: &frame)
        socket?.send(frame)
    }

    func close() { socket?.close() }

    private func received(_ input: inout InputBuffer) {
        if !isUpgraded {
            let head = input.withUnsafeBytes { Array($0) }
            guard let end = head.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            guard head.starts(with: Array("HTTP/1.1 101".utf8)) else {
                close()
                return report(.lost(String(decoding: head.prefix(40), as: UTF8.self)))
            }
            input.consume(end.upperBound)
            isUpgraded = true
            report(.opened)
        }
        while let event = decoder.next(&input) {
            switch event {
            case .message(_, _, .slice(let slice)): input.withUnsafeBytes(of: slice) { report(.text($0)) }
            case .message(_, _, .assembled(let bytes)): bytes.withUnsafeBytes { report(.text($0)) }
            case .ping(let payload): send(.pong, payload)
            case .close(let code, let reason): report(.lost("closed with \(code ?? 1005) \(reason)"))
            case .pong, .failure: break
            }
        }
    }
}
