import Testing

@testable import WireProtocols

/// Drip-feeds `input` to an HTTP request decoder.
func observe(_ input: String, splits: Int = .max, headBytes: Int = 16 * 1024, bodyBytes: Int = 100) -> [HTTPObservation]
{
    dripFeed(Array(input.utf8), splits: splits) {
        var decoder = HTTPRequestDecoder(.init(headBytes: headBytes, bodyBytes: bodyBytes))
        return { buffer in HTTPObservation(decoder.next(&buffer)) }
    }
}

/// The head of a GET with a Host and the given field lines.
func requestHead(
    _ requestLine: String = "GET / HTTP/1.1", _ fields: String..., host: Bool = true
) throws -> HTTPRequestHead {
    let lines = [requestLine] + (host ? ["Host: chat.example"] : []) + fields + ["", ""]
    return try HTTPHeadParser.parse(Array(lines.joined(separator: "\r\n").utf8))
}
