import ChatDomain

/// Makes the lists of messages by term for one segment, a short transaction at a time.
///
/// Its messages are read first, as far as they are not in memory yet (`MovedTexts`); then the lists are written, in their order, and the segment
/// counts as built. After a crash in between it is built again from its beginning.
struct SegmentBuild {
    enum Step {
        /// Add the messages at these positions.
        case read(ClosedRange<Int64>)
        /// Write these of the lists.
        case write(Range<Int>)
        /// Note that the segment is built.
        case finish
    }

    /// Messages a transaction reads, and lists it writes: half a millisecond of either.
    static let readAtOnce: Int64 = 64
    static let writtenAtOnce = 512

    let segment: Int64
    private var next: Int64
    private(set) var lists = PostingLists()
    private var terms = TermScanner()
    private var written = 0

    init(_ segment: Int64) {
        self.segment = segment
        next = SearchSegment.positions(segment).lowerBound
    }

    private var isRead: Bool { next > SearchSegment.positions(segment).upperBound }

    var step: Step {
        guard isRead else { return .read(next...(next + Self.readAtOnce - 1)) }
        return written < lists.count ? .write(written..<min(written + Self.writtenAtOnce, lists.count)) : .finish
    }

    /// To be called for each message of a step that reads, in the order of their positions.
    ///
    /// - Parameters:
    ///   - text, author: in UTF-8.
    ///   - room: the key of the room.
    mutating func add(
        _ text: UnsafeRawBufferPointer, author: UnsafeRawBufferPointer, room: Int64, at position: Int64
    ) {
        let document = SearchSegment.document(position)
        terms.scan(text, author: author, room: room) { lists.add($0, document) }
    }

    /// Adds a message as it moved. One without a text is found by nothing.
    mutating func add(_ moved: MovedText) {
        guard var text = moved.text, !text.isEmpty else { return }
        var author = moved.author.value
        text.withUTF8 { text in
            author.withUTF8 { author in
                add(
                    UnsafeRawBufferPointer(text), author: UnsafeRawBufferPointer(author), room: moved.room,
                    at: moved.position)
            }
        }
    }

    mutating func didStep() {
        switch step {
        case .read(let positions):
            next = positions.upperBound + 1
            if isRead { lists.sort() }
        case .write(let range): written = range.upperBound
        case .finish: break
        }
    }
}
