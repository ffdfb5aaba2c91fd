internal import CZlib

/// Compresses messages for permessage-deflate (RFC 7692 §7.2.1), each on its own: no context is taken over.
///
/// Holds up to 300 KiB and is used again for every message, so one serves a whole event loop. Not thread safe.
public final class Deflater {
    /// The end of a sync flush, which is not sent (RFC 7692 §7.2.1).
    static let flushTrailer: [UInt8] = [0x00, 0x00, 0xff, 0xff]

    private let stream = RawStream()

    /// - Parameters:
    ///   - level: 1 (fastest) to 9 (smallest).
    ///   - windowBits: base-2 logarithm of the window, 9 to 15; zlib has no raw deflate with a window of 8 bits.
    public init(level: Int = 1, windowBits: Int = 15) {
        precondition((1...9).contains(level) && (9...15).contains(windowBits), "no such compression")
        let outcome = shim_deflate_init_raw(stream.state, Int32(level), Int32(windowBits), 8)
        precondition(outcome == Z_OK, "out of memory")
    }

    deinit { deflateEnd(stream.state) }

    /// Appends the compressed payload of one message, of at most 4 GiB, to `output`.
    public func compress(_ message: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        guard !message.isEmpty else {
            // An empty block without its trailer (RFC 7692 §7.2.3.6).
            return output.append(0x00)
        }
        deflateReset(stream.state)
        stream.setInput(message)
        repeat {
            output.append(contentsOf: stream.run { deflate($0, Z_SYNC_FLUSH) }.output)
        } while stream.isOutputFull
        output.removeLast(Self.flushTrailer.count)
    }

    /// The compressed payload of one message.
    public func compress(_ message: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        message.withUnsafeBytes { compress($0, into: &output) }
        return output
    }
}
