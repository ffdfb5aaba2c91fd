internal import CZlib

/// Restores the payload of permessage-deflate messages (RFC 7692 §7.2.2), never past a limit.
///
/// Without context takeover one serves a whole event loop; with it each connection needs its own, of about 60 KiB.
/// After a refused message an inflater that takes context over is of no more use. Not thread safe.
public final class Inflater {
    public enum Outcome: Equatable, Sendable {
        case message([UInt8])
        /// The message is longer than the limit; nothing past the limit was kept.
        case tooBig
        /// No compressor makes this payload, or it is cut short.
        case corrupt
    }

    private let stream = RawStream()
    private let takesContextOver: Bool

    /// - Parameter takesContextOver: whether a message may refer back to those before it.
    public init(takesContextOver: Bool = false) {
        self.takesContextOver = takesContextOver
        // The largest window reads messages made with any smaller one.
        precondition(shim_inflate_init_raw(stream.state, 15) == Z_OK, "out of memory")
    }

    deinit { inflateEnd(stream.state) }

    /// Restores one whole message from its assembled payload.
    ///
    /// - Parameter limit: the longest message taken, in bytes.
    public func inflate(_ payload: UnsafeRawBufferPointer, limit: Int) -> Outcome {
        guard payload.count <= Int(UInt32.max) else { return .tooBig }
        if !takesContextOver { inflateReset(stream.state) }
        var message: [UInt8] = []
        if let refusal = feed(payload, limit: limit, into: &message) { return refusal }
        let trailerRefusal = Deflater.flushTrailer.withUnsafeBytes { feed($0, limit: limit, into: &message) }
        if let trailerRefusal { return trailerRefusal }
        return isBetweenBlocks ? .message(message) : .corrupt
    }

    public func inflate(_ payload: [UInt8], limit: Int) -> Outcome {
        payload.withUnsafeBytes { inflate($0, limit: limit) }
    }

    private func feed(_ bytes: UnsafeRawBufferPointer, limit: Int, into message: inout [UInt8]) -> Outcome? {
        stream.setInput(bytes)
        repeat {
            let (outcome, output) = stream.run { CZlib.inflate($0, Z_SYNC_FLUSH) }
            guard output.count <= limit - message.count else { return .tooBig }
            message.append(contentsOf: output)
            switch outcome {
            // Z_BUF_ERROR means that all input was used, which is no failure.
            case Z_OK, Z_BUF_ERROR: break
            // A message may hold final blocks and continue behind them (RFC 7692 §7.2.3.5); the window stays.
            case Z_STREAM_END: inflateResetKeep(stream.state)
            default: return .corrupt
            }
        } while stream.hasInput || stream.isOutputFull
        return nil
    }

    /// Whether the payload ended with a block. Nearly every message that was cut short ends inside one.
    private var isBetweenBlocks: Bool { stream.state.pointee.data_type & 128 != 0 }
}
