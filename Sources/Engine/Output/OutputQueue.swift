/// Bytes on their way to one socket. Holds references to shared, immutable chunks; copies only to gather small ones.
struct OutputQueue {
    /// The chunk being written. Kept outside the list: most connections have at most one chunk waiting, and idle ones none,
    /// and neither then costs an allocation.
    private var first: [UInt8] = []
    private var offset = 0
    private var rest: [[UInt8]] = []
    private var restStart = 0
    /// Bytes not written yet.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ chunk: [UInt8]) {
        guard !chunk.isEmpty else { return }
        if count == 0 { first = chunk } else { rest.append(chunk) }
        count += chunk.count
    }

    /// Calls `write` with the next bytes, gathered in `scratch` where that takes fewer calls, and drops those it took.
    mutating func write<R>(
        scratch: UnsafeMutableRawBufferPointer, _ write: (UnsafeRawBufferPointer) -> (taken: Int, result: R)
    ) -> R {
        let head = first.count - offset
        let gathers = restStart < rest.count && head < scratch.count / 2
        let (taken, result) =
            gathers
            ? write(UnsafeRawBufferPointer(rebasing: scratch[..<gather(into: scratch)]))
            : first.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
        drop(taken)
        return result
    }

    private func gather(into scratch: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        func add(_ bytes: UnsafeRawBufferPointer) {
            let part = bytes.prefix(scratch.count - filled)
            UnsafeMutableRawBufferPointer(rebasing: scratch[filled...]).copyMemory(from: .init(rebasing: part))
            filled += part.count
        }
        first.withUnsafeBytes { add(.init(rebasing: $0[offset...])) }
        for index in restStart..<rest.count where filled < scratch.count { rest[index].withUnsafeBytes(add) }
        return filled
    }

    private mutating func drop(_ taken: Int) {
        count -= taken
        guard count > 0 else {
            clear()
            return
        }
        offset += taken
        while offset >= first.count {
            offset -= first.count
            first = rest[restStart]
            rest[restStart] = []
            restStart += 1
        }
        if restStart > 64, restStart * 2 > rest.count {
            rest.removeFirst(restStart)
            restStart = 0
        }
    }

    /// Forgets everything but the rest of a chunk already begun, so that the bytes that follow are not read as part of it.
    mutating func dropUnbegun() {
        guard offset > 0 else { return clear() }
        rest = []
        restStart = 0
        count = first.count - offset
    }

    mutating func clear() {
        first = []
        offset = 0
        rest = []
        restStart = 0
        count = 0
    }
}
