internal import CHiredis

/// Bytes that are not RESP. Nothing after them can be read.
struct MalformedReply: Error, Hashable {
    let reason: String
}

/// Reads replies from bytes as they arrive, with hiredis's reader. Not thread safe.
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let maximumBytes: Int

    /// - Parameter maximumBytes: how long one reply may be.
    init(maximumBytes: Int) {
        guard let reader = chr_reader_create() else { fatalError("out of memory") }
        self.reader = reader
        self.maximumBytes = maximumBytes
    }

    deinit { redisReaderFree(reader) }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(MalformedReply) {
        guard redisReaderFeed(reader, bytes.baseAddress, bytes.count) == REDIS_OK else { throw failure }
    }

    /// The next reply; nil when it is not complete.
    func next() throws(MalformedReply) -> RedisValue? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw failure }
        guard let reply else {
            guard chr_reader_unread(reader) <= maximumBytes else {
                throw MalformedReply(reason: "a reply of more than \(maximumBytes) bytes")
            }
            guard chr_reader_is_hopeless(reader) == 0 else { throw MalformedReply(reason: "a line without an end") }
            return nil
        }
        defer { freeReplyObject(reply) }
        return Self.value(reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private var failure: MalformedReply {
        withUnsafeBytes(of: reader.pointee.errstr) { text in
            MalformedReply(reason: String(decoding: text.prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    private static func value(_ reply: redisReply) -> RedisValue {
        switch reply.type {
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: return .string(bytes(reply))
        case REDIS_REPLY_ERROR: return error(String(decoding: bytes(reply), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            return .array(
                (0..<Int(reply.elements)).map { index in
                    reply.element[index].map { value($0.pointee) } ?? .null
                })
        default: return .null
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: reply.str, count: Int(reply.len)))
    }

    private static func error(_ text: String) -> RedisValue {
        let parts = text.split(separator: " ", maxSplits: 1)
        return .error(code: parts.first.map(String.init) ?? "", message: parts.count > 1 ? String(parts[1]) : "")
    }
}
