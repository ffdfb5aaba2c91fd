import ChatDomain
import JSON
import WireProtocols

/// Lets `body` look at a text as JSON.
package func withJSON<Value>(_ text: String, _ body: (JSONElement) throws -> Value) throws -> Value {
    let parser = JSONParser()
    return try Array(text.utf8).withUnsafeBytes { try body(try parser.parse($0)) }
}

/// A request's head as it comes off the wire.
package func head(_ method: String, _ target: String, _ fields: [String] = []) throws -> HTTPRequestHead {
    var buffer = InputBuffer()
    let lines =
        ["\(method) \(target) HTTP/1.1"] + (fields.contains { $0.hasPrefix("Host:") } ? [] : ["Host: chat.test"])
        + fields
    buffer.append(contentsOf: Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
    var decoder = HTTPRequestDecoder(.init(bodyBytes: 1000))
    switch decoder.next(&buffer) {
    case .head(let head): return head
    case .failure(let refusal): throw refusal
    default: throw HTTPRefusal(status: 0, detail: "no head")
    }
}

extension Array where Element == UInt8 {
    package var text: String { String(decoding: self, as: UTF8.self) }
}

extension RoomUser {
    package static let ann = RoomUser(userID: UserID(unchecked: "ann"), username: "Ann \"A\"")
}

extension Message {
    package static func sample(metadata: String? = nil, clientID: String? = nil, replyTo: String? = nil) -> Message {
        Message(
            id: MessageID(high: 0x0123_4567_89AB_CDEF, low: 0x0011_2233), sequence: 7,
            roomID: RoomID(unchecked: "lobby"),
            body: MessageBody(
                author: RoomUser.ann.userID, username: RoomUser.ann.username, text: "line\none",
                clientMessageID: clientID,
                metadata: metadata, replyTo: replyTo),
            timestamp: Timestamp(milliseconds: 1_767_323_045_678))
    }
}
