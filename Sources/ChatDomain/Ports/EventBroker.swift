/// Takes events for other services and reports the outcome of each. RabbitMQ implements it; tests use a scripted broker.
///
/// Duties of every implementation:
/// - Nothing here blocks; reports come on a thread of the broker's own, in order.
/// - Every event published after `.connected` is answered once, unless `.disconnected` comes first: then the outcome of all
///   events without an answer is unknown.
/// - It reconnects by itself.
public protocol EventBroker: Sendable {
    /// Connects, and reports from then on. Called once.
    func start(_ report: @escaping @Sendable (BrokerReport) -> Void)

    /// Hands events over, to be sent in this order.
    func publish(_ events: [BrokerEvent])

    /// Closes the connection. No report follows.
    func stop() async
}

/// One event on its way to a queue.
public struct BrokerEvent: Sendable {
    public enum Queue: Hashable, Sendable, CaseIterable {
        case messages
        case changes
    }

    /// The sender's own handle, under which the outcome is reported.
    public var tag: UInt64
    /// Names the event for its consumers, the same on every repeat; at most 255 bytes of UTF-8.
    public var messageID: String
    /// Where it goes.
    public var queue: Queue
    /// The kind of event, such as `message.sent`; at most 255 bytes.
    public var type: String
    /// Seconds since the Unix epoch.
    public var timestampSeconds: UInt64
    /// The trace it belongs to (W3C Trace Context, section 3.2), if any.
    public var traceparent: String?
    /// JSON.
    public var body: [UInt8]

    public init(
        tag: UInt64, messageID: String, type: String, queue: Queue = .messages, timestampSeconds: UInt64,
        traceparent: String? = nil,
        body: [UInt8]
    ) {
        self.tag = tag
        self.messageID = messageID
        self.type = type
        self.queue = queue
        self.timestampSeconds = timestampSeconds
        self.traceparent = traceparent
        self.body = body
    }
}

/// The broker's answer for one event.
public enum BrokerOutcome: Hashable, Sendable {
    /// The broker has stored it.
    case confirmed
    /// No queue took it: the queue is gone.
    case returned
    /// The broker could not or would not take it.
    case refused
}

public enum BrokerReport: Sendable {
    case connected
    case answered([(tag: UInt64, outcome: BrokerOutcome)])
    /// The broker asked its publishers to pause, and why; nil when it accepts events again. A new connection is not blocked.
    case blocked(reason: String?)
    /// The connection ended, or an attempt to connect failed. Another attempt follows by itself.
    case disconnected(BrokerError)
}
