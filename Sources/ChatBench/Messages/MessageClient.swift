import EventLoop
import JSON

/// One client of a message bench: it connects, joins its room, and reports what it receives. Confined to its loop.
final class MessageClient {
    enum Event: Sendable {
        /// The client is a member of its room, whose highest sequence number is `lastSequence`.
        case joined(lastSequence: Int64)
        case message(sequence: Int64, text: String)
        case refused
        case lost(String)
    }

    /// The instance that the client is connected to; empty until the server has named it.
    private(set) var instance = ""
    private let user: String
    private let room: String
    private let context: BenchContext
    private let framing: BenchFraming
    private let report: (Event) -> Void
    private var channel: (any BenchChannel)?
    private var hasJoined = false

    init(
        index: Int, room: Int, transport: BenchTransport, context: BenchContext,
        report: @escaping (Event) -> Void
    ) throws(ConnectError) {
        user = "bench-\(index)"
        self.room = "bench-\(room)"
        self.context = context
        self.report = report
        framing = transport == .webSocket ? .event : .socketIO
        let receive: (BenchChannelEvent) -> Void = { [unowned self] in received($0) }
        switch transport {
        case .webSocket: channel = try BenchWebSocketChannel(context, path: "/", report: receive)
        case .socketIO:
            channel = try BenchWebSocketChannel(
                context, path: "/socket.io/?EIO=4&transport=websocket", report: receive)
        case .polling: channel = try BenchPollingChannel(context, report: receive)
        }
    }

    func send(_ text: String) {
        channel?.send(framing.text("send_message", #"{"roomId":"\#(room)","message":"\#(text)"}"#))
    }

    func close() { channel?.close() }

    private func received(_ event: BenchChannelEvent) {
        switch event {
        case .opened: if framing == .event { join() } else { channel?.send("40") }
        case .text(let bytes): receivedText(bytes)
        case .lost(let reason): report(.lost(reason))
        }
    }

    private func join() {
        channel?.send(framing.text("authenticate", #"{"userId":"\#(user)"}"#))
        channel?.send(framing.text("join_room", #"{"roomId":"\#(room)"}"#))
    }

    private func receivedText(_ bytes: UnsafeRawBufferPointer) {
        guard let (event, data) = framing.read(bytes, context.parser) else { return receivedControl(bytes) }
        switch event {
        case "authenticated": instance = BenchFraming.instance(ofSession: data?["socketId"]?.string ?? "")
        case "room_state" where !hasJoined:
            hasJoined = true
            report(.joined(lastSequence: data?["lastSeq"]?.integer ?? 0))
        case "new_message" where hasJoined:
            guard let sequence = data?["seq"]?.integer, let text = data?["message"]?.string else { return }
            report(.message(sequence: sequence, text: text))
        case "error": report(.refused)
        default: break
        }
    }

    /// Handles packets of Engine.IO and Socket.IO that are not events.
    private func receivedControl(_ bytes: UnsafeRawBufferPointer) {
        guard framing == .socketIO, let first = bytes.first else { return }
        switch (first, bytes.count > 1 ? bytes[1] : 0) {
        case (UInt8(ascii: "2"), _): channel?.send("3")
        case (UInt8(ascii: "4"), UInt8(ascii: "0")): join()
        case (UInt8(ascii: "4"), UInt8(ascii: "4")), (UInt8(ascii: "4"), UInt8(ascii: "1")):
            report(.lost("the server refused the connection"))
        default: break
        }
    }
}
