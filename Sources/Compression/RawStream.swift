internal import CZlib

/// A zlib stream at a fixed address, as zlib requires, with a piece of memory its output passes through.
final class RawStream {
    private static let scratchBytes = 16 * 1024

    let state: UnsafeMutablePointer<z_stream>
    private let scratch = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: RawStream.scratchBytes)

    init() {
        state = .allocate(capacity: 1)
        state.initialize(to: z_stream())
        scratch.initialize(repeating: 0)
    }

    deinit {
        scratch.deallocate()
        state.deallocate()
    }

    /// Sets the next input, at most 4 GiB. It must stay in place until it is used up.
    func setInput(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= Int(UInt32.max), "input longer than 4 GiB")
        // zlib does not write to its input, though the type says so.
        state.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        state.pointee.avail_in = UInt32(bytes.count)
    }

    /// Runs `step` once with room for one piece of output.
    func run(_ step: (UnsafeMutablePointer<z_stream>) -> Int32) -> (
        outcome: Int32, output: Slice<UnsafeMutableBufferPointer<UInt8>>
    ) {
        state.pointee.next_out = scratch.baseAddress
        state.pointee.avail_out = UInt32(scratch.count)
        let outcome = step(state)
        return (outcome, scratch[..<(scratch.count - Int(state.pointee.avail_out))])
    }

    var hasInput: Bool { state.pointee.avail_in > 0 }
    /// Whether the last piece of output used all the room it had, so that there may be more.
    var isOutputFull: Bool { state.pointee.avail_out == 0 }
}
