/// Whether a room was compared with the store since the store failed last. A room that was not is compared before it is
/// written to, as a store that was away may have come back without what it had acknowledged. See ADR 0022.
public struct StoreComparison: Sendable {
    /// The newest numbers of a room: in the store, and delivered here when the store was asked.
    public enum Verdict: Hashable, Sendable {
        /// The store has all that was delivered; this is its newest number.
        case complete(newest: SequenceNumber)
        /// The store lost what comes behind this number.
        case rewound(to: SequenceNumber)
    }

    private enum State {
        case idle
        case underWay(number: Int, failures: UInt64, delivered: SequenceNumber, until: Moment)
        case paused(until: Moment)
    }

    /// Between two attempts while the store fails.
    static let pause: Duration = .milliseconds(250)

    /// The count of the store's failures up to which the room was compared.
    private var compared: UInt64
    private var state = State.idle
    private var lastNumber = 0

    /// - Parameter failures: the count of the store's failures before the room is read.
    public init(failures: UInt64) { compared = failures }

    /// A comparison is under way, or will be tried again after a pause. The room is not written to meanwhile.
    public var isPending: Bool { if case .idle = state { false } else { true } }

    /// Whether the room may be written to.
    ///
    /// - Parameter failures: how often the store has failed.
    public func isCurrent(failures: UInt64) -> Bool { compared == failures && !isPending }

    /// Notes that the store is asked for the room's newest number; the number of the question. nil while one is pending.
    ///
    /// - Parameters:
    ///   - failures: how often the store has failed.
    ///   - delivered: the newest number delivered here.
    ///   - timeout: how long the answer is waited for.
    public mutating func begin(
        failures: UInt64, delivered: SequenceNumber, timeout: Duration, at now: Moment
    ) -> Int? {
        guard !isPending else { return nil }
        lastNumber += 1
        state = .underWay(number: lastNumber, failures: failures, delivered: delivered, until: now + timeout)
        return lastNumber
    }

    /// Takes the store's answer.
    ///
    /// - Parameters:
    ///   - number: the question's, as `begin` returned it.
    ///   - newest: the room's newest number in the store; nil for no answer.
    /// - Returns: nil where there was no answer, or the question is over.
    public mutating func didRead(number: Int, newest: SequenceNumber?, at now: Moment) -> Verdict? {
        guard case .underWay(number, let failures, let delivered, _) = state else { return nil }
        guard let newest else {
            state = .paused(until: now + Self.pause)
            return nil
        }
        state = .idle
        compared = failures
        return newest < delivered ? .rewound(to: newest) : .complete(newest: newest)
    }

    /// When `tick` has something to do.
    public var deadline: Moment? {
        switch state {
        case .idle: nil
        case .underWay(_, _, _, let until), .paused(let until): until
        }
    }

    /// Ends a pause, or a question that was not answered in time. The room may be compared again.
    public mutating func tick(at now: Moment) {
        if let deadline, deadline <= now { state = .idle }
    }
}
