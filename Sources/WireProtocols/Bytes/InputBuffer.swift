/// Bytes that have been read and not yet consumed.
///
/// One buffer serves a whole event loop: it is loaded with a connection's leftover bytes, read into, decoded, and the rest
/// is taken out again. The readable bytes are always followed by at least `padding` bytes of allocated, initialised
/// memory, so that a vectorised parser may read past their end.
public struct InputBuffer: Sendable {
    /// Bytes of initialised memory that follow the readable bytes.
    public static let padding = 64

    /// A region of the buffer that outlives its consumption: it stays readable until bytes are next written into the
    /// buffer (`load`, `append`, `withFreeSpace`). A later use is a programming error and stops the process.
    public struct Slice: Sendable, Equatable {
        @usableFromInline let start: Int
        /// Bytes in the region.
        public let count: Int
        @usableFromInline let generation: UInt64

        @usableFromInline
        init(start: Int, count: Int, generation: UInt64) {
            self.start = start
            self.count = count
            self.generation = generation
        }
    }

    @usableFromInline var storage: [UInt8]
    @usableFromInline var start = 0
    @usableFromInline var end = 0
    @usableFromInline var generation: UInt64 = 0

    /// An empty buffer; it grows past `capacity` bytes when it has to.
    public init(capacity: Int = 4096) {
        storage = [UInt8](repeating: 0, count: max(capacity, 0) + Self.padding)
    }

    /// Readable bytes.
    @inlinable
    public var count: Int { end - start }

    @inlinable
    public var isEmpty: Bool { start == end }

    /// Drops all bytes and starts again with `leftover`, which `takeRemainder` returned earlier.
    @inlinable
    public mutating func load(leftover: [UInt8]) {
        start = 0
        end = 0
        generation &+= 1
        if !leftover.isEmpty { append(contentsOf: leftover) }
    }

    /// Takes the readable bytes out; allocates nothing when there are none.
    @inlinable
    public mutating func takeRemainder() -> [UInt8] {
        guard start < end else { return [] }
        let remainder = Array(storage[start..<end])
        start = end
        return remainder
    }

    /// Appends the bytes that `body` writes into the free space behind the readable ones.
    /// - Parameters:
    ///   - minimum: bytes of free space `body` needs; it may be given more.
    ///   - body: returns how many bytes it wrote, from the beginning of the space.
    /// - Returns: the result of `body`.
    @inlinable
    @discardableResult
    public mutating func withFreeSpace(
        atLeast minimum: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int
    ) -> Int {
        reserve(minimum)
        generation &+= 1
        let free = end..<(storage.count - Self.padding)
        let written = storage.withUnsafeMutableBytes { bytes in
            body(UnsafeMutableRawBufferPointer(rebasing: bytes[free]))
        }
        precondition(written >= 0 && written <= free.count, "more bytes written than there was space for")
        end += written
        return written
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(contentsOf bytes: [UInt8]) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(contentsOf bytes: UnsafeRawBufferPointer) {
        withFreeSpace(atLeast: bytes.count) { space in
            space.copyMemory(from: bytes)
            return bytes.count
        }
    }

    /// Drops the first `length` readable bytes.
    @inlinable
    public mutating func consume(_ length: Int) {
        precondition(length >= 0 && length <= count, "more bytes consumed than there were")
        start += length
    }

    /// Consumes the first `length` readable bytes and names the region they were in.
    @inlinable
    public mutating func takeSlice(_ length: Int) -> Slice {
        let slice = Slice(start: start, count: length, generation: generation)
        consume(length)
        return slice
    }

    /// The readable bytes, in place. `padding` bytes behind them may be read too.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Self.withRegion(of: storage, start..<end, body)
    }

    /// The readable bytes in `range`, which counts from the first readable byte.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the readable bytes")
        return try Self.withRegion(of: storage, (start + range.lowerBound)..<(start + range.upperBound), body)
    }

    /// The bytes of `slice`, in place. `padding` bytes behind them may be read too.
    @inlinable
    public func withUnsafeBytes<Result, Failure: Error>(
        of slice: Slice, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(slice.generation == generation, "slice used after its buffer was written to")
        return try Self.withRegion(of: storage, slice.start..<(slice.start + slice.count), body)
    }

    /// The first `length` readable bytes, to be changed in place.
    @inlinable
    public mutating func withUnsafeMutablePrefix<Result>(
        _ length: Int, _ body: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        precondition(length >= 0 && length <= count, "range outside the readable bytes")
        let region = start..<(start + length)
        return storage.withUnsafeMutableBytes { body(UnsafeMutableRawBufferPointer(rebasing: $0[region])) }
    }

    /// A copy of `slice`.
    public func bytes(of slice: Slice) -> [UInt8] {
        withUnsafeBytes(of: slice) { Array($0) }
    }

    @inlinable
    static func withRegion<Result, Failure: Error>(
        of storage: [UInt8], _ region: Range<Int>,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try storage.withUnsafeBufferPointer { (bytes) throws(Failure) -> Result in
            try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[region])))
        }
    }

    /// Makes room for `minimum` bytes behind the readable ones: by moving them to the front, else by growing.
    @usableFromInline
    mutating func reserve(_ minimum: Int) {
        let needed = minimum + Self.padding
        guard storage.count - end < needed else { return }
        if start > 0 {
            storage.withUnsafeMutableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: bytes[0..<(end - start)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
            end -= start
            start = 0
        }
        guard storage.count - end < needed else { return }
        let target = max(storage.count * 2, end + needed)
        storage.append(contentsOf: repeatElement(0, count: target - storage.count))
    }
}
