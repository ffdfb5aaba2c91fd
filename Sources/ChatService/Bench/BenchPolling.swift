import EventLoop
import WireProtocols

/// Texts as Engine.IO packets by long polling: one connection that always asks, and one that tells.
final class BenchPolling: BenchLink {
    private static let separator: UInt8 = 0x1E

    private let host: String
    private let report: (BenchLinkEvent) -> Void
    private var asking: BenchSocket?
    private var telling: BenchSocket?
    /// The session's id; empty until the server has given one.
    private var sid = ""
    private var unsaid: [String] = []
    private var isTelling = false
    private var isOver = false

    init(_ context: BenchContext, report: @escaping (BenchLinkEvent) -> Void) throws(ConnectError) {
        host = context.host
        self.report = report
        let asking = try BenchSocket(
            context, received: { [unowned self] in answered(&$0) }, lost: { [unowned self] in lose($0) })
        self.asking = asking
        telling = try BenchSocket(
            context, received: { [unowned self] in told(&$0) }, lost: { [unowned self] in lose($0) })
        ask()
    }

    func say(_ text: String) {
        unsaid.append(text)
        tell()
    }

    func close() {
        isOver = true
        asking?.close()
        telling?.close()
    }

    private func lose(_ reason: String) {
        guard !isOver else { return }
        close()
        report(.lost(reason))
    }

    // MARK: Asking

    private var query: String { "/socket.io/?EIO=4&transport=polling" + (sid.isEmpty ? "" : "&sid=\(sid)") }

    private func ask() { asking?.send(Array("GET \(query) HTTP/1.1\r\nHost: \(host)\r\n\r\n".utf8)) }

    private func answered(_ input: inout InputBuffer) {
        guard let body = body(&input), !isOver else { return }
        // First ask again: what is told meanwhile is not kept waiting by what this brings.
        if sid.isEmpty { open(body) }
        ask()
        for packet in body.split(separator: Self.separator) { take(packet) }
    }

    private func open(_ body: [UInt8]) {
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.firstRange(of: #""sid":""#)?.upperBound, let end = text[start...].firstIndex(of: "\"")
        else { return lose("no handshake: \(text.prefix(40))") }
        sid = String(text[start..<end])
    }

    private func take(_ packet: ArraySlice<UInt8>) {
        switch packet.first {
        case UInt8(ascii: "0"): report(.opened)
        case UInt8(ascii: "1"): lose("the server closed the session")
        case UInt8(ascii: "2"): say("3")
        case UInt8(ascii: "4"): packet.withUnsafeBytes { report(.text($0)) }
        default: break
        }
    }

    // MARK: Telling

    private func tell() {
        guard !isTelling, !sid.isEmpty, !unsaid.isEmpty else { return }
        isTelling = true
        let body = unsaid.joined(separator: "\u{1E}")
        unsaid = []
        telling?.send(
            Array("POST \(query) HTTP/1.1\r\nHost: \(host)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
    }

    private func told(_ input: inout InputBuffer) {
        guard body(&input) != nil else { return }
        isTelling = false
        tell()
    }

    // MARK: HTTP

    /// The body of a response that is there as a whole; nil until then, and for anything but 200.
    private func body(_ input: inout InputBuffer) -> [UInt8]? {
        let bytes = input.withUnsafeBytes { Array($0) }
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let length = head.split(separator: "\r\n").compactMap { line -> Int? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { return nil }
            return Int(parts[1].drop { $0 == " " })
        }
        guard bytes.count >= end.upperBound + (length.first ?? 0) else { return nil }
        input.consume(end.upperBound + (length.first ?? 0))
        guard head.hasPrefix("HTTP/1.1 200") else {
            lose(String(head.prefix { $0 != "\r\n" }))
            return nil
        }
        return Array(bytes[end.upperBound..<(end.upperBound + (length.first ?? 0))])
    }
}
