public import ChatDomain

/// A part of a trace that this instance has recorded.
public struct Span: Hashable, Sendable {
    /// The values of OTLP (`Span.SpanKind`).
    public enum Kind: Int, Sendable {
        case inside = 1
        case server = 2
        case producer = 4
    }

    public var name: String
    public var kind: Kind
    public var trace: TraceContext.TraceID
    public var id: UInt64
    /// The span that it is a part of; nil for a trace's first.
    public var parent: UInt64?
    /// Since 1970, in microseconds.
    public var start: Int64
    /// Since 1970, in microseconds; not before `start`.
    public var end: Int64
    public var attributes: [Attribute]
    /// Why it failed; nil when it did not.
    public var failure: String?

    public struct Attribute: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }
}
