public import ChatDomain
import Synchronization

/// The traces that messages belong to, from the request that sent a message to its event. They are kept in memory, for the
/// latest messages only, and end with the instance.
public final class TraceCache: Sendable {
    private let traces: Mutex<LatestMessages<String>>

    /// - Parameter capacity: the most messages kept; past that the oldest is dropped.
    public init(capacity: Int = 4096) { traces = Mutex(LatestMessages(capacity: capacity)) }

    /// - Parameter traceparent: the header's value (W3C Trace Context, section 3.2).
    public func note(_ traceparent: String, of message: MessageID) {
        traces.withLock { $0.insert(traceparent, of: message) }
    }

    public func traceparent(of message: MessageID) -> String? { traces.withLock { $0[message] } }
}
