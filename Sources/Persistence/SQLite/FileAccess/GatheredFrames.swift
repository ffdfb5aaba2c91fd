/// Frames of the log that SQLite has written and its file does not have yet.
///
/// SQLite writes a frame as its header and then its page (its "Database File Format", 4.1), each by a call of its own, although
/// those of a transaction follow one another. They are gathered here up to the last one, whose header says that it is the last.
/// No connection looks for frames of a transaction before it is committed, and after a crash a transaction without its
/// last frame counts as none.
struct GatheredFrames {
    enum Taken: Equatable {
        case kept
        /// It is kept, and everything here has to go into the file now.
        case keptAndDue
        /// It has to go into the file by itself, after everything here.
        case notKept
    }

    static let headerSize = 24
    /// SQLite's file system writes less than this in one call.
    static let limit = 1 << 17

    private(set) var bytes: [UInt8] = []
    /// Where the last write ended; nil when something else came after it. A header that does not begin here belongs to a frame that is in
    /// the file already, and has no page behind it.
    private var end: Int64?
    private var isPageNext = false
    private var isLastFrame = false

    /// Where `bytes` begin in the file.
    var start: Int64 { (end ?? 0) - Int64(bytes.count) }

    /// Takes what SQLite writes at a place of the log.
    mutating func take(_ part: UnsafeRawBufferPointer, at offset: Int64) -> Taken {
        let follows = end == offset
        guard follows, isPageNext ? bytes.count + part.count < Self.limit : part.count == Self.headerSize else {
            return .notKept
        }
        bytes.append(contentsOf: part)
        end = offset + Int64(part.count)
        isPageNext.toggle()
        if isPageNext {
            isLastFrame = part[4..<8].contains { $0 != 0 }
            return .kept
        }
        let hasRoom = bytes.count + Self.headerSize + part.count < Self.limit
        return isLastFrame || !hasRoom ? .keptAndDue : .kept
    }

    /// To be called when everything here was given to the file, with success or without.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        isPageNext = false
    }

    /// To be called when the file was written to by itself.
    mutating func didWrite(upTo offset: Int64) { end = offset }

    /// To be called for whatever else happens to the file, and when writing to it failed.
    mutating func interrupt() { end = nil }
}
