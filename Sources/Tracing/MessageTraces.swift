public import ChatDomain
import Synchronization

/// The messages that are followed, and the spans of their steps.
///
/// A span's id follows from its message and its step, so that no instance has to be told the ids of another's spans.
public final class MessageTraces: MessageTracer {
    private struct Followed {
        var trace: TraceContext.TraceID
        /// The caller's span; nil where this service began the trace.
        var caller: UInt64?
        /// When each step began, in microseconds since 1970.
        var begun: [MessageStep: Int64] = [:]
    }

    private struct State {
        var followed: [MessageID: Followed] = [:]
        /// In order of arrival. Once it is full, the next message replaces the one at `oldest`.
        var ring: [MessageID] = []
        var oldest = 0
    }

    private let state = Mutex(State())
    private let ratio: Double
    private let capacity: Int
    private let clock: @Sendable () -> Int64
    private let record: @Sendable ([Span]) -> Void

    /// - Parameters:
    ///   - ratio: the share of messages without a caller's trace that are followed, 0 to 1.
    ///   - capacity: messages that are followed at once; past that the oldest is not followed any more.
    ///   - clock: microseconds since 1970.
    ///   - record: takes the spans.
    public init(
        ratio: Double, capacity: Int = 4096, clock: @escaping @Sendable () -> Int64,
        record: @escaping @Sendable ([Span]) -> Void
    ) {
        self.ratio = ratio
        self.capacity = max(1, capacity)
        self.clock = clock
        self.record = record
    }

    public func receive(_ message: MessageID, parent: String?) -> String? {
        if let parent = parent.flatMap(TraceContext.init) {
            guard parent.isSampled else { return nil }
            note(message, Followed(trace: parent.trace, caller: parent.span))
        } else {
            let trace = TraceContext.TraceID(high: Self.hash(message, 0x71), low: Self.hash(message, 0x72))
            // The ids are as good as random, so their part below the ratio is that share of them.
            guard Double(trace.low >> 11) < ratio * Double(1 << 53) else { return nil }
            note(message, Followed(trace: trace))
        }
        begin(.receive, of: [message])
        return traceparent(of: .receive, of: message)
    }

    public func follow(_ message: MessageID, traceparent: String) {
        guard let parent = TraceContext(traceparent), parent.isSampled else { return }
        // Its first span is the sender's instance's.
        note(message, Followed(trace: parent.trace))
    }

    public func begin(_ step: MessageStep, of messages: [MessageID]) {
        let now = clock()
        state.withLock { state in
            guard !state.followed.isEmpty else { return }
            for message in messages { state.followed[message]?.begun[step] = now }
        }
    }

    public func end(_ step: MessageStep, of messages: [MessageID], failure: String?) {
        let now = clock()
        let spans = state.withLock { state -> [Span] in
            guard !state.followed.isEmpty else { return [] }
            return messages.compactMap { message in
                guard let start = state.followed[message]?.begun.removeValue(forKey: step),
                    let followed = state.followed[message]
                else { return nil }
                return Span(
                    name: "message \(step.name)", kind: step.kind, trace: followed.trace,
                    id: Self.span(step, of: message),
                    parent: step == .receive ? followed.caller : Self.span(.receive, of: message), start: start,
                    end: max(start, now), attributes: [.init("messaging.message.id", message.description)],
                    failure: failure)
            }
        }
        if !spans.isEmpty { record(spans) }
    }

    public func traceparent(of step: MessageStep, of message: MessageID) -> String? {
        guard let trace = state.withLock({ $0.followed[message]?.trace }) else { return nil }
        return TraceContext(trace: trace, span: Self.span(step, of: message), isSampled: true).text
    }

    private func note(_ message: MessageID, _ followed: Followed) {
        state.withLock { state in
            if state.followed[message] == nil {
                if state.ring.count < capacity {
                    state.ring.append(message)
                } else {
                    state.followed[state.ring[state.oldest]] = nil
                    state.ring[state.oldest] = message
                    state.oldest = (state.oldest + 1) % capacity
                }
            }
            state.followed[message] = followed
        }
    }

    private static func span(_ step: MessageStep, of message: MessageID) -> UInt64 {
        hash(message, step.salt)
    }

    /// Spreads a message's id over 64 bits, another way for each salt (the mixing steps of SplitMix64). Never zero.
    private static func hash(_ message: MessageID, _ salt: UInt64) -> UInt64 {
        var value = message.high ^ (UInt64(message.low) << 32 | salt) &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return max(1, value ^ value >> 31)
    }
}

extension MessageStep {
    /// Distinguishes the ids of a message's spans.
    fileprivate var salt: UInt64 {
        switch self {
        case .receive: 1
        case .commit: 2
        case .publish: 3
        case .deliver: 4
        case .event: 5
        case .webhook(let receiver): 0x100 + UInt64(UInt16(truncatingIfNeeded: receiver))
        }
    }

    fileprivate var kind: Span.Kind {
        switch self {
        case .receive: .server
        case .commit, .deliver: .inside
        case .publish, .event, .webhook: .producer
        }
    }
}
