/// A value on the heap: one that many sessions have in common, or that few have at all, so that an idle one pays for a
/// reference only.
public final class Shared<Value: Sendable>: Sendable {
    public let value: Value

    public init(_ value: Value) { self.value = value }
}

extension Duration {
    /// The span in milliseconds, cut to a whole number: the unit of deadlines here and of Engine.IO's handshake.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
