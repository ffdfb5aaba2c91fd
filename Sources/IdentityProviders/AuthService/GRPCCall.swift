import HTTPClient

/// A unary call of gRPC, as the HTTP/2 request and answer that carry it
/// ([protocol](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)).
enum GRPCCall {
    /// Why a call has no message. Holds nothing of what the service wrote.
    enum Failure: Error, Hashable, CustomStringConvertible {
        /// The service ended the call with this status, which is not OK.
        case status(Int)
        /// The answer is not one of gRPC.
        case notGRPC(String)

        var description: String {
            switch self {
            case .status(let code): "gRPC status \(code) (\(Self.names[code] ?? "unknown"))"
            case .notGRPC(let reason): "not an answer of gRPC: \(reason)"
            }
        }

        private static let names = [
            1: "CANCELLED", 2: "UNKNOWN", 3: "INVALID_ARGUMENT", 4: "DEADLINE_EXCEEDED", 5: "NOT_FOUND",
            7: "PERMISSION_DENIED", 8: "RESOURCE_EXHAUSTED", 12: "UNIMPLEMENTED", 13: "INTERNAL", 14: "UNAVAILABLE",
            16: "UNAUTHENTICATED",
        ]
    }

    /// Whether another call would end like this too.
    static func isServiceAway(_ status: Int) -> Bool { [4, 8, 12, 14].contains(status) }

    static let invalidArgument = 3
    static let unauthenticated = 16

    /// The bytes before a message: whether it is compressed, and its length.
    private static let prefixBytes = 5

    /// - Parameter url: the server and the method: `http://host:port/package.Service/Method`, or `https` for TLS.
    static func request(_ message: [UInt8], to url: String, deadline: Duration, maximumBytes: Int) -> HTTPClientRequest
    {
        let length = UInt32(clamping: message.count).bigEndian
        let prefix = withUnsafeBytes(of: length) { [0] + Array($0) }
        let milliseconds = deadline / .milliseconds(1)
        return HTTPClientRequest(
            .post, url,
            fields: [
                ("Content-Type", "application/grpc"), ("TE", "trailers"), ("User-Agent", "grpc-chat-service"),
                ("grpc-timeout", "\(Int(milliseconds))m"),
            ],
            body: prefix + message, version: .http2, deadline: deadline, maximumBytes: maximumBytes)
    }

    /// The one message of an answer.
    static func message(of response: HTTPClientResponse) throws(Failure) -> [UInt8] {
        guard response.status == 200 else { throw .notGRPC("HTTP status \(response.status)") }
        guard response[field: "content-type"]?.hasPrefix("application/grpc") == true else {
            throw .notGRPC("another content type")
        }
        guard let status = response[field: "grpc-status"].flatMap({ Int($0) }) else { throw .notGRPC("no grpc-status") }
        guard status == 0 else { throw .status(status) }
        let body = response.body
        guard body.count >= prefixBytes, body[0] == 0 else { throw .notGRPC("no message, or a compressed one") }
        let length = body[1..<prefixBytes].reduce(0) { $0 << 8 | Int($1) }
        guard body.count == prefixBytes + length else { throw .notGRPC("not one message") }
        return Array(body[prefixBytes...])
    }
}
