/// The queue that events are published to. An existing queue is used as it is.
public struct RabbitMQQueue: Sendable {
    /// The type that a missing queue is declared with.
    public enum Kind: String, CaseIterable, Sendable {
        /// On one node of the broker.
        case classic
        /// Replicated over the nodes of the broker's cluster.
        case quorum
    }

    public var name: String
    public var kind: Kind

    public init(name: String, kind: Kind = .classic) {
        self.name = name
        self.kind = kind
    }
}
