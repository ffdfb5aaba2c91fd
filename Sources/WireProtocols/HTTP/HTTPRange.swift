/// The part of a body that a request asks for by `Range` (RFC 9110 section 14.2).
public enum HTTPRange: Sendable, Equatable {
    /// No range is asked for, or none that is served: the answer is the whole body. Several ranges are such a case.
    case whole
    /// Positions of bytes within the body; at least one.
    case part(Range<Int64>)
    /// No byte of the range is there: the answer is 416.
    case unsatisfiable

    /// - Parameters:
    ///   - field: the value of `Range`; nil for none.
    ///   - size: bytes of the whole body, at least 0.
    public init(_ field: String?, size: Int64) {
        self = field.flatMap { Self.parse($0, size: max(0, size)) } ?? .whole
    }

    /// The value of `Content-Range` in an answer about a body of `size` bytes; nil for the whole body.
    public func contentRange(size: Int64) -> String? {
        switch self {
        case .whole: nil
        case .part(let range): "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
        case .unsatisfiable: "bytes */\(size)"
        }
    }

    /// nil for what is no single range of bytes.
    private static func parse(_ field: String, size: Int64) -> Self? {
        let halves = field.utf8.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
        guard halves.count == 2, HTTPSyntax.equalsIgnoringCase(halves[0], "bytes".utf8) else { return nil }
        let ends = Array(halves[1]).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        let (first, last) = (position(ends[0]), position(ends[1]))
        switch (ends[0].isEmpty, ends[1].isEmpty) {
        case (true, true): return nil
        case (true, false):
            guard let last else { return nil }
            return last == 0 || size == 0 ? .unsatisfiable : .part(max(0, size - last)..<size)
        case (false, true):
            guard let first else { return nil }
            return first < size ? .part(first..<size) : .unsatisfiable
        case (false, false):
            guard let first, let last, first <= last else { return nil }
            return first < size ? .part(first..<(min(last, size - 1) + 1)) : .unsatisfiable
        }
    }

    /// A number of any length: one that does not fit is beyond every body.
    private static func position(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return HTTPSyntax.decimal(digits).map(Int64.init) ?? .max
    }
}
