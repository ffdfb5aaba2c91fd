/// A client's packet, as far as the caller has something to do for it.
public enum EngineIOReceipt: Hashable, Sendable {
    case nothing
    /// A text message; the range is its content in the bytes given.
    case text(Range<Int>)
    case binary([UInt8])
    /// The session is over.
    case close(EngineIOCloseReason)
}
