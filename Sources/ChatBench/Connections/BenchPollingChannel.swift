import EventLoop
import WireProtocols

/// Carries texts as Engine.IO packets by long polling: one connection for GET requests, one for POST requests.
final class BenchPollingChannel: BenchChannel {
    private static let separator: UInt8 = 0x1E

    private let host: String
    private let report: (BenchChannelEvent) -> Void
    private var polling: BenchSocket?
    private var posting: BenchSocket?
    /// The session's id; empty until the server has given one.
    private var sid = ""
    private var unsent: [String] = []
    private var isPosting = false
    private var isClosed = false

    init(_ context: BenchContext, report: @escaping (BenchChannelEvent) -> Void) throws(ConnectError) {
        host = context.host
        self.report = report
        polling = try BenchSocket(
            context, received: { [unowned self] in receivedPoll(&$0) }, lost: { [unowned self] in lose($0) })
        posting = try BenchSocket(
            context, received: { [unowned self] in receivedPostAnswer(&$0) }, lost: { [unowned self] in lose($0) })
        poll()
    }

    func send(_ text: String) {
        unsent.append(text)
        post()
    }

    func close() {
        isClosed = true
        polling?.close()
        posting?.close()
    }

    private func lose(_ reason: String) {
        guard !isClosed else { return }
        close()
        report(.lost(reason))
    }

    // MARK: GET requests

    private var query: String { "/socket.io/?EIO=4&transport=polling" + (sid.isEmpty ? "" : "&sid=\(sid)") }

    private func poll() { polling?.send(Array("GET \(query) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)) }

    private func receivedPoll(_ input: inout InputBuffer) {
        guard let body = body(&input), !isClosed else { return }
        if sid.isEmpty { open(body) }
        // The next request leaves before the packets are handled, so that handling them delays no delivery.
        poll()
        for packet in body.split(separator: Self.separator) { receivedPacket(packet) }
    }

    private func open(_ body: [UInt8]) {
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.firstRange(of: #""sid":""#)?.upperBound, let end = text[start...].firstIndex(of: "\"")
        else { return lose("no handshake: \(text.prefix(40))") }
        sid = String(text[start..<end])
    }

    private func receivedPacket(_ packet: ArraySlice<UInt8>) {
        switch packet.first {
        case UInt8(ascii: "0"): report(.opened)
        case UInt8(ascii: "1"): lose("the server closed the session")
        case UInt8(ascii: "2"): send("3")
        case UInt8(ascii: "4"): packet.withUnsafeBytes { report(.text($0)) }
        default: break
        }
    }

    // MARK: POST requests

    private func post() {
        guard !isPosting, !sid.isEmpty, !unsent.isEmpty else { return }
        isPosting = true
        let body = unsent.joined(separator: "\u{1E}")
        unsent = []
        posting?.send(
            Array("POST \(query) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
    }

    private func receivedPostAnswer(_ input: inout InputBuffer) {
        guard body(&input) != nil else { return }
        isPosting = false
        post()
    }

    // MARK: HTTP

    /// The body of a complete response with status 200. nil while the response is incomplete. Any other status ends the channel.
    private func body(_ input: inout InputBuffer) -> [UInt8]? {
        let bytes = input.withUnsafeBytes { Array($0) }
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let lengths = head.split(separator: "\r\n").compactMap { line -> Int? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
            return Int(parts[1].drop { $0 == " " })
        }
        let length = lengths.first ?? 0
        guard (0...(bytes.count - end.upperBound)).contains(length) else { return nil }
        input.consume(end.upperBound + length)
        guard head.hasPrefix("HTTP/1.1 200") else {
            lose(String(head.prefix { $0 != "\r\n" }))
            return nil
        }
        return Array(bytes[end.upperBound..<(end.upperBound + length)])
    }
}
