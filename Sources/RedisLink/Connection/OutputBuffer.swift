/// Bytes on their way out, and how far they have got.
struct OutputBuffer {
    private var bytes: [UInt8] = []
    private var sent = 0

    var count: Int { bytes.count - sent }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ encode: (inout [UInt8]) -> Void) { encode(&bytes) }

    /// The bytes not yet sent; `write` says how many it took.
    mutating func drain<R>(_ write: (UnsafeRawBufferPointer) -> (taken: Int, R)) -> R {
        let (taken, result) = bytes.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[sent...])) }
        sent += taken
        if sent == bytes.count {
            bytes.removeAll(keepingCapacity: sent <= 256 << 10)
            sent = 0
        } else if sent >= 1 << 20 {
            bytes.removeFirst(sent)
            sent = 0
        }
        return result
    }

    mutating func clear() { self = OutputBuffer() }
}
