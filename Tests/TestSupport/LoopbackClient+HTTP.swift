/// A response as a client reads it.
public struct ReceivedResponse: Sendable, Equatable {
    public var status: Int
    /// Names in lower case.
    public var fields: [String: String]
    public var body: String
}

extension LoopbackClient {
    /// Waits for one response whose length is told by `Content-Length`.
    ///
    /// - Parameter isHead: the request was a HEAD: no body follows.
    public func receiveResponse(within timeout: Duration = LoopbackClient.receiveTimeout, isHead: Bool = false)
        async throws
        -> ReceivedResponse
    {
        try await receive(within: timeout) { bytes in
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
            let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
            let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
            guard words.count >= 2, let status = Int(words[1]) else { return nil }
            var fields: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            }
            let hasBody = !isHead && status >= 200 && status != 204 && status != 304
            let length = hasBody ? fields["content-length"].flatMap { Int($0) } ?? 0 : 0
            guard bytes.count >= end.upperBound + length else { return nil }
            let body = String(decoding: bytes[end.upperBound..<(end.upperBound + length)], as: UTF8.self)
            bytes.removeFirst(end.upperBound + length)
            return ReceivedResponse(status: status, fields: fields, body: body)
        }
    }

    public func get(_ path: String, fields: [String] = []) async throws -> ReceivedResponse {
        try await send(Self.request("GET", path, fields: fields))
        return try await receiveResponse()
    }

    public static func request(_ method: String, _ path: String, fields: [String] = [], body: String? = nil) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + fields
        if let body { lines.append("Content-Length: \(body.utf8.count)") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }
}
