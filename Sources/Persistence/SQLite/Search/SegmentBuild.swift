import ChatDomain

/// Makes the lists of messages by term for one segment, a short transaction at a time.
///
/// Its messages are read first; then the lists are written, in their order, and the segment counts as built. After a crash in
/// between it is built again from its beginning.
struct SegmentBuild {
    enum Step {
        /// Read the messages at these positions.
        case read(ClosedRange<Int64>)
        case write(ArraySlice<Posting>)
        /// Note that the segment is built.
        case finish
    }

    struct Posting {
        var term: SearchWord
        var documents: [UInt8]
    }

    /// Messages a transaction reads, and lists it writes: half a millisecond of either.
    static let readAtOnce: Int64 = 64
    static let writtenAtOnce = 512

    let segment: Int64
    private var next: Int64
    private var documents: [SearchWord: [UInt8]] = [:]
    private var postings: [Posting] = []
    private var written = 0

    init(_ segment: Int64) {
        self.segment = segment
        next = SearchSegment.positions(segment).lowerBound
    }

    private var isRead: Bool { next > SearchSegment.positions(segment).upperBound }

    var step: Step {
        guard isRead else { return .read(next...(next + Self.readAtOnce - 1)) }
        return written < postings.count ? .write(postings[written...].prefix(Self.writtenAtOnce)) : .finish
    }

    /// To be called for each message of a step that reads.
    mutating func add(_ terms: Set<SearchWord>, at position: Int64) {
        let document = SearchSegment.document(position)
        for term in terms {
            documents[term, default: []] += [
                UInt8(truncatingIfNeeded: document), UInt8(truncatingIfNeeded: document >> 8),
            ]
        }
    }

    mutating func didStep() {
        switch step {
        case .read(let positions):
            next = positions.upperBound + 1
            guard isRead else { return }
            postings = documents.map { Posting(term: $0, documents: $1) }.sorted { $0.term < $1.term }
            documents = [:]
        case .write(let slice): written = slice.endIndex
        case .finish: break
        }
    }
}
