import EventLoop
import JSON

/// One client: connects, enters its room, sends when told, reports what it gets. Confined to its loop.
final class BenchClient {
    enum Event: Sendable {
        case ready
        case message(sequence: Int64, text: String)
        case refused
        case lost(String)
    }

    var lastSequence: Int64 = 0
    /// Which instance it came to; empty until it is known.
    private(set) var instance = ""
    private let user: String
    private let room: String
    private let context: BenchContext
    private let framing: BenchFraming
    private let report: (Event) -> Void
    private var link: (any BenchLink)?
    private var isReady = false

    init(
        index: Int, room: Int, transport: BenchOptions.Transport, context: BenchContext,
        report: @escaping (Event) -> Void
    ) throws(ConnectError) {
        user = "bench-\(index)"
        self.room = "bench-\(room)"
        self.context = context
        self.report = report
        framing = transport == .websocket ? .event : .socketIO
        let hear: (BenchLinkEvent) -> Void = { [unowned self] in heard($0) }
        switch transport {
        case .websocket: link = try BenchWebSocket(context, path: "/", report: hear)
        case .socketIO:
            link = try BenchWebSocket(context, path: "/socket.io/?EIO=4&transport=websocket", report: hear)
        case .polling: link = try BenchPolling(context, report: hear)
        }
    }

    func send(_ text: String) {
        link?.say(framing.text("send_message", #"{"roomId":"\#(room)","message":"\#(text)"}"#))
    }

    func close() { link?.close() }

    private func heard(_ event: BenchLinkEvent) {
        switch event {
        case .opened: if framing == .event { enter() } else { link?.say("40") }
        case .text(let bytes): take(bytes)
        case .lost(let reason): report(.lost(reason))
        }
    }

    private func enter() {
        link?.say(framing.text("authenticate", #"{"userId":"\#(user)"}"#))
        link?.say(framing.text("join_room", #"{"roomId":"\#(room)"}"#))
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard let (event, data) = framing.read(bytes, context.parser) else { return takeControl(bytes) }
        switch event {
        case "authenticated":
            // A session's id begins with its instance's; its loop and its own number follow.
            instance = data?["socketId"]?.string?.split(separator: "-").dropLast(2).joined(separator: "-") ?? ""
        case "room_state" where !isReady:
            lastSequence = data?["lastSeq"]?.integer ?? 0
            isReady = true
            report(.ready)
        case "new_message" where isReady:
            guard let sequence = data?["seq"]?.integer, let text = data?["message"]?.string else { return }
            report(.message(sequence: sequence, text: text))
        case "error": report(.refused)
        default: break
        }
    }

    /// Packets of Engine.IO and Socket.IO that are no events.
    private func takeControl(_ bytes: UnsafeRawBufferPointer) {
        guard framing == .socketIO, let first = bytes.first else { return }
        switch (first, bytes.count > 1 ? bytes[1] : 0) {
        case (UInt8(ascii: "2"), _): link?.say("3")
        case (UInt8(ascii: "4"), UInt8(ascii: "0")): enter()
        case (UInt8(ascii: "4"), UInt8(ascii: "4")), (UInt8(ascii: "4"), UInt8(ascii: "1")):
            report(.lost("the server refused the connection"))
        default: break
        }
    }
}
