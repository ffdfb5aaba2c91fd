public import ChatDomain
import Synchronization

/// The traces that messages belong to, from the request that sent a message to its event. They are kept in memory, for the
/// latest messages only, and end with the instance.
public final class TraceCache: Sendable {
    private struct State {
        var traces: [MessageID: String] = [:]
        /// In order of arrival. Once it is full, the next message replaces the one at `oldest`.
        var ring: [MessageID] = []
        var oldest = 0
    }

    private let state = Mutex(State())
    private let capacity: Int

    /// - Parameter capacity: the most messages kept; past that the oldest is dropped.
    public init(capacity: Int = 4096) { self.capacity = max(1, capacity) }

    /// - Parameter traceparent: the header's value (W3C Trace Context, section 3.2).
    public func note(_ traceparent: String, of message: MessageID) {
        state.withLock { state in
            if state.ring.count < capacity {
                state.ring.append(message)
            } else {
                state.traces[state.ring[state.oldest]] = nil
                state.ring[state.oldest] = message
                state.oldest = (state.oldest + 1) % capacity
            }
            state.traces[message] = traceparent
        }
    }

    public func traceparent(of message: MessageID) -> String? { state.withLock { $0.traces[message] } }
}
