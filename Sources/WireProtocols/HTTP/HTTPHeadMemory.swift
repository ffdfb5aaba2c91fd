/// Heads of requests that came more than once lately, found by their bytes: a client or proxy that keeps its connection mostly sends the
/// same head again, and comparing one takes a fraction of the time of reading it.
///
/// It holds what it holds of all connections of a loop, credentials too, so that it is bounded in heads and in their bytes, and its owner
/// empties it every now and then. A head that comes once is not kept: many never come again, such as those with a request's id.
public struct HTTPHeadMemory: Sendable {
    /// Bytes of the longest head that is kept.
    static let longestHead = 1024

    private struct Place {
        /// The hash of the head that came here last.
        var hash: UInt64 = 0
        /// nil where it came once.
        var head: HTTPRequestHead?
    }

    /// The places that a head may have. Together they are as wide as a line of the processor's cache.
    private static let ways = 4

    /// A head has one of four places, which follow each other, by its hash. There are none, or a power of two of them.
    private var places: [Place]
    /// Which of the four is given away next.
    private var next = 0

    /// - Parameter capacity: how many heads are kept at most; rounded down to a power of two. Less than four keeps none.
    public init(capacity: Int) {
        let count = capacity >= Self.ways ? 1 << (Int.bitWidth - 1 - capacity.leadingZeroBitCount) : 0
        places = Array(repeating: Place(), count: count)
    }

    /// Forgets all heads.
    public mutating func removeAll() {
        for index in places.indices { places[index] = Place() }
    }

    /// How many heads are kept.
    var count: Int { places.count { $0.head != nil } }

    /// The head that `bytes` begin with, if it is kept.
    func head(in bytes: UnsafeRawBufferPointer) -> HTTPRequestHead? {
        guard !places.isEmpty, let length = Self.length(bytes) else { return nil }
        let head = UnsafeRawBufferPointer(rebasing: bytes[..<length])
        let hash = Self.hash(head)
        guard let index = places(of: hash).first(where: { places[$0].hash == hash }), let kept = places[index].head,
            kept.headers.bytes.withUnsafeBytes({ Self.areEqual($0, head) })
        else { return nil }
        return kept
    }

    /// Keeps a head that came the second time.
    mutating func note(_ head: HTTPRequestHead) {
        guard !places.isEmpty, head.headers.bytes.count <= Self.longestHead else { return }
        let hash = head.headers.bytes.withUnsafeBytes { Self.hash($0) }
        let candidates = places(of: hash)
        if let index = candidates.first(where: { places[$0].hash == hash }) {
            places[index].head = head
        } else {
            places[giveAway(candidates)] = Place(hash: hash)
        }
    }

    private func places(of hash: UInt64) -> Range<Int> {
        let first = Int(truncatingIfNeeded: hash) & (places.count - 1) & ~(Self.ways - 1)
        return first..<first + Self.ways
    }

    /// In turn, those without a head first.
    private mutating func giveAway(_ candidates: Range<Int>) -> Int {
        next += 1
        let inTurn = (0..<Self.ways).lazy.map { [next] in candidates.lowerBound + (next + $0) % Self.ways }
        return inTurn.first { places[$0].head == nil } ?? inTurn[0]
    }

    /// The length of a head that is there as a whole, and no longer than the longest that is kept.
    private static func length(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let (carriageReturn, lineFeed) = (HTTPSyntax.carriageReturn, HTTPSyntax.lineFeed)
        var last = 3
        let end = min(bytes.count, longestHead)
        while last < end {
            switch bytes[last] {
            case lineFeed:
                if bytes[last - 1] == carriageReturn, bytes[last - 2] == lineFeed, bytes[last - 3] == carriageReturn {
                    return last + 1
                }
                // The end is two bytes further, if it ends a line that begins here.
                last += 2
            case carriageReturn: last += 1
            default: last += 4
            }
        }
        return nil
    }

    /// Not for an adversary: two heads of one hash only take each other's place.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        func mix(_ word: UInt64) {
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
        }
        while offset + 8 <= bytes.count {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        while offset < bytes.count {
            mix(UInt64(bytes[offset]))
            offset += 1
        }
        return hash
    }

    private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        var offset = 0
        while offset + 8 <= a.count {
            guard
                a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    == b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            else { return false }
            offset += 8
        }
        while offset < a.count {
            guard a[offset] == b[offset] else { return false }
            offset += 1
        }
        return true
    }
}
