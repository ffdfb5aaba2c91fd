/// A value on the heap: one that many sessions have in common, or that few have at all, so that an idle one pays for a
/// reference only.
public final class Shared<Value: Sendable>: Sendable {
    public let value: Value

    public init(_ value: Value) { self.value = value }
}
