/// A part of a message's way through an instance.
public enum MessageStep: Hashable, Sendable {
    /// From the draft to the answer of its sender, on the sender's instance.
    case receive
    /// In the store, on the instance that numbers the room.
    case commit
    /// To the other instances.
    case publish
    /// To the members that are connected to the instance that numbers the room.
    case deliver
    /// From the outbox to the broker's confirmation.
    case event
    /// One request to the webhook receiver of this number.
    case webhook(receiver: Int)

    /// The name of its spans.
    public var name: String {
        switch self {
        case .receive: "receive"
        case .commit: "commit"
        case .publish: "publish"
        case .deliver: "deliver"
        case .event: "event"
        case .webhook: "webhook"
        }
    }
}

/// Follows messages through an instance, for tracing systems.
///
/// The calls come from any thread and must not block. For a message that is not followed they do nothing.
public protocol MessageTracer: Sendable {
    /// A client's or a service's message begins its way here.
    ///
    /// - Parameter parent: the caller's `traceparent` (W3C Trace Context, section 3.2); nil where it has sent none.
    /// - Returns: the `traceparent` under which other instances follow the message; nil when it is not followed.
    func receive(_ message: MessageID, parent: String?) -> String?
    /// Another instance has forwarded a message that it follows under this `traceparent`.
    func follow(_ message: MessageID, traceparent: String)
    func begin(_ step: MessageStep, of messages: [MessageID])
    /// - Parameter failure: why the step failed; nil when it did not.
    func end(_ step: MessageStep, of messages: [MessageID], failure: String?)
    /// The `traceparent` under which the receiver of a step's result follows the message; nil when it is not followed.
    func traceparent(of step: MessageStep, of message: MessageID) -> String?
}
