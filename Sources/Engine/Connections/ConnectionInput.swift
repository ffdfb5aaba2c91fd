/// Everything read from one socket and not decoded yet, and whether more is wanted. Does no I/O itself.
///
/// Decoding stops while the handler has paused the connection, and while a request waits for room for its answer.
struct ConnectionInput {
    /// Bytes that are not understood yet, or not wanted yet.
    private(set) var unread: [UInt8]
    /// Whether the handler wants nothing for now.
    private(set) var isPaused = false
    /// Whether the peer has ended its side, so that nothing more comes.
    private(set) var hasEnded = false
    /// Whether a request came before there was room for its answer.
    var isHeldUp = false
    private(set) var isDecoding = false
    /// Whether the unread bytes are decoded at the end of this turn.
    private var isScheduled = false

    init(unread: [UInt8] = []) { self.unread = unread }

    /// Whether the socket is watched for bytes.
    var wantsBytes: Bool { !isPaused && !hasEnded }

    /// Gives the unread bytes out, to be decoded now.
    mutating func takeUnread() -> [UInt8] {
        defer { unread = [] }
        return unread
    }

    /// Keeps what decoding left.
    mutating func keep(_ bytes: [UInt8]) { unread = bytes }

    mutating func receivedEnd() { hasEnded = true }

    // MARK: Pausing

    /// - Returns: whether it was not paused before.
    mutating func pause() -> Bool {
        defer { isPaused = true }
        return !isPaused
    }

    /// - Returns: whether it was paused before.
    mutating func resume() -> Bool {
        defer { isPaused = false }
        return isPaused
    }

    /// Drops the unread bytes, and takes further ones to drop them.
    mutating func discard() {
        unread = []
        isPaused = false
    }

    // MARK: Decoding

    mutating func beginDecoding() { isDecoding = true }
    mutating func endDecoding() { isDecoding = false }

    /// Asks for the unread bytes to be decoded at the end of this turn.
    ///
    /// - Parameter hasMore: whether there may be something without unread bytes: bytes in the TLS layer, or the end of a
    ///   streamed body, all of which was read.
    /// - Returns: whether the caller has to schedule it: not while they are being decoded, nor twice, nor where there are none.
    mutating func requestDecoding(hasMore: Bool) -> Bool {
        guard !isDecoding, !isScheduled, !unread.isEmpty || hasMore else { return false }
        isScheduled = true
        return true
    }

    mutating func beginScheduledDecoding() { isScheduled = false }
}
