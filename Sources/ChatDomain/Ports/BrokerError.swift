/// Why the broker could not be used. The texts are for operators and hold no credentials.
public enum BrokerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address does not answer.
    case unreachable(reason: String)
    /// No encrypted connection came about: a certificate that is not trusted, for one.
    case insecure(reason: String)
    /// User, password or virtual host were refused.
    case denied(reason: String)
    /// The queue can neither be used nor made.
    case queueUnusable(name: String, reason: String)
    /// The connection ended, by the broker's word or without one.
    case disconnected(reason: String)
    /// An event that AMQP cannot express.
    case unsendable(reason: String)

    public var description: String {
        switch self {
        case .unreachable(let reason): "the broker cannot be reached: \(reason)"
        case .insecure(let reason): "no secure connection to the broker: \(reason)"
        case .denied(let reason): "the broker refused the sign-in: \(reason)"
        case .queueUnusable(let name, let reason): "the queue \(name) cannot be used: \(reason)"
        case .disconnected(let reason): "the connection to the broker ended: \(reason)"
        case .unsendable(let reason): "an event cannot be sent: \(reason)"
        }
    }
}
