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

    private let followed: Mutex<LatestMessages<Followed>>
    private let ratio: Double
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
        followed = Mutex(LatestMessages(capacity: capacity))
        self.clock = clock
        self.record = record
    }

    public func receive(_ message: MessageID, parent: String?) -> String? {
        if let parent = parent.flatMap(TraceContext.init) {
            guard parent.isSampled else { return nil }
            follow(message, Followed(trace: parent.trace, caller: parent.span))
        } else {
            let trace = TraceContext.TraceID(high: Self.hash(message, 0x71), low: Self.hash(message, 0x72))
            // The ids are as good as random, so their part below the ratio is that share of them.
            guard Double(trace.low >> 11) < ratio * Double(1 << 53) else { return nil }
            follow(message, Followed(trace: trace))
        }
        begin(.receive, of: [message])
        return traceparent(of: .receive, of: message)
    }

    public func follow(_ message: MessageID, traceparent: String) {
        guard let parent = TraceContext(traceparent), parent.isSampled else { return }
        // Its first span is the sender's instance's.
        follow(message, Followed(trace: parent.trace))
    }

    private func follow(_ message: MessageID, _ trace: Followed) {
        followed.withLock { $0.insert(trace, of: message) }
    }

    public func begin(_ step: MessageStep, of messages: [MessageID]) {
        let now = clock()
        followed.withLock { followed in
            guard !followed.isEmpty else { return }
            for message in messages { followed.update(message) { $0.begun[step] = now } }
        }
    }

    public func end(_ step: MessageStep, of messages: [MessageID], failure: String?) {
        let now = clock()
        let spans = followed.withLock { followed -> [Span] in
            guard !followed.isEmpty else { return [] }
            return messages.compactMap { message in
                guard let start = followed.update(message, { $0.begun.removeValue(forKey: step) }) ?? nil,
                    let trace = followed[message]
                else { return nil }
                return Span(
                    name: "message \(step.name)", kind: step.kind, trace: trace.trace,
                    id: Self.span(step, of: message),
                    parent: step == .receive ? trace.caller : Self.span(.receive, of: message), start: start,
                    end: max(start, now), attributes: [.init("messaging.message.id", message.description)],
                    failure: failure)
            }
        }
        if !spans.isEmpty { record(spans) }
    }

    public func traceparent(of step: MessageStep, of message: MessageID) -> String? {
        guard let trace = followed.withLock({ $0[message]?.trace }) else { return nil }
        return TraceContext(trace: trace, span: Self.span(step, of: message), isSampled: true).text
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
