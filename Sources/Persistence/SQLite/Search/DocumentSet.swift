/// Messages of one segment of the search index, as a bit for each.
struct DocumentSet: Equatable {
    private static let words = SearchSegment.size / 64

    private var bits = [UInt64](repeating: 0, count: words)

    init() {}

    /// Reads a stored list: two bytes a document, the lower first, in any order. What is no document of a segment is
    /// passed over.
    init(stored bytes: UnsafeRawBufferPointer) {
        for index in stride(from: 0, to: bytes.count - 1, by: 2) {
            insert(Int(bytes[index]) | Int(bytes[index + 1]) << 8)
        }
    }

    var isEmpty: Bool { bits.allSatisfy { $0 == 0 } }
    var count: Int { bits.reduce(0) { $0 + $1.nonzeroBitCount } }

    mutating func insert(_ document: Int) {
        guard (0..<SearchSegment.size).contains(document) else { return }
        bits[document >> 6] |= 1 << UInt64(document & 63)
    }

    mutating func remove(_ document: Int) {
        guard (0..<SearchSegment.size).contains(document) else { return }
        bits[document >> 6] &= ~(1 << UInt64(document & 63))
    }

    mutating func formUnion(_ other: Self) {
        for index in bits.indices { bits[index] |= other.bits[index] }
    }

    mutating func formIntersection(_ other: Self) {
        for index in bits.indices { bits[index] &= other.bits[index] }
    }

    func contains(_ document: Int) -> Bool {
        (0..<SearchSegment.size).contains(document) && bits[document >> 6] >> UInt64(document & 63) & 1 == 1
    }

    /// The newest first.
    var descending: [Int] {
        var found: [Int] = []
        for (index, word) in bits.enumerated().reversed() {
            var rest = word
            while rest != 0 {
                let bit = 63 - rest.leadingZeroBitCount
                found.append(index << 6 | bit)
                rest &= ~(1 << UInt64(bit))
            }
        }
        return found
    }

    /// As it is stored.
    var stored: [UInt8] {
        var bytes: [UInt8] = []
        for document in descending.reversed() { Self.store(document, to: &bytes) }
        return bytes
    }

    /// Appends a document to a stored list.
    static func store(_ document: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(truncatingIfNeeded: document))
        bytes.append(UInt8(truncatingIfNeeded: document >> 8))
    }
}

/// A part of the search index: neighbouring positions, which follow the order of time.
enum SearchSegment {
    static let bits: Int64 = 10
    static let size = 1 << Int(bits)

    static func of(_ position: Int64) -> Int64 { position >> bits }
    static func document(_ position: Int64) -> Int { Int(position & Int64(size - 1)) }
    static func positions(_ segment: Int64) -> ClosedRange<Int64> {
        let first = segment << bits
        return first...(first | Int64(size - 1))
    }
}
