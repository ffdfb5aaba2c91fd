import ChatDomain
import Synchronization

@testable import ChatCore

/// A loop on manual time. Messages and due timers run when the test says so, one turn after the other.
final class ManualLoop: LoopContext {
    /// Results of work that ran off the loop.
    private final class Results: Sendable {
        private let finished = Mutex<[(ticket: UInt64, value: any Sendable)]>([])
        func add(_ ticket: UInt64, _ value: any Sendable) { finished.withLock { $0.append((ticket, value)) } }
        func take() -> [(ticket: UInt64, value: any Sendable)] {
            finished.withLock { finished in
                defer { finished = [] }
                return finished
            }
        }
    }

    let index: UInt16
    /// Where messages for this shard go; set by the instance under test.
    var dispatch: (ShardMessage) -> Void = { _ in }
    /// The end of a turn.
    var turnEnd: () -> Void = {}
    let mailbox = Mailbox<ShardMessage> {}
    private let clock: ManualClock
    private let postElsewhere: (ShardMessage, UInt16) -> Void
    private var timers = ManualTimers<() -> Void>()
    private var local: [ShardMessage] = []
    private var batch: [ShardMessage] = []
    private var continuations: [UInt64: (any Sendable) -> Void] = [:]
    private let results = Results()
    private var last: UInt64 = 0

    init(
        index: UInt16 = 0, clock: ManualClock = ManualClock(),
        postElsewhere: @escaping (ShardMessage, UInt16) -> Void = { _, _ in }
    ) {
        self.index = index
        self.clock = clock
        self.postElsewhere = postElsewhere
    }

    // MARK: As the chat sees it

    var now: Now { clock.now }

    func post(_ message: ShardMessage, to shard: UInt16) {
        if shard == index { local.append(message) } else { postElsewhere(message, shard) }
    }

    func schedule(after span: Duration, _ action: @escaping () -> Void) -> LoopTimer {
        timers.add(action, at: now.monotonic + max(span, .zero))
    }

    func cancel(_ timer: LoopTimer) { timers.cancel(timer) }

    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        last += 1
        continuations[last] = { value in
            guard let value = value as? Value else { preconditionFailure("the result has another type") }
            then(value)
        }
        Task { [results, ticket = last] in results.add(ticket, await operation()) }
    }

    func runHere<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        run(operation, then: then)
    }

    // MARK: As a test moves it

    /// Pieces of work that are off the loop.
    var outstanding: Int { continuations.count }
    var pendingTimers: Int { timers.count }

    /// Handles what waits now; whether there was anything.
    @discardableResult
    func turn() -> Bool {
        // Taken first and handled last: what was posted before a result was there is handled before it, as on a real loop.
        let finished = results.take()
        mailbox.takeAll(leaving: &batch)
        let posted = batch
        batch = []
        for message in posted { dispatch(message) }
        for (ticket, value) in finished { continuations.removeValue(forKey: ticket)?(value) }
        var didAnything = !finished.isEmpty || !posted.isEmpty
        while !local.isEmpty {
            let messages = local
            local = []
            for message in messages { dispatch(message) }
            didAnything = true
        }
        turnEnd()
        return didAnything || !local.isEmpty
    }

    /// When the next timer that is due by then goes off.
    func nextTimer(by end: Moment) -> Moment? { timers.next(by: end) }

    /// Runs the first of the timers that are due now; whether there was one.
    func fireTimer() -> Bool {
        guard let action = timers.takeDue(at: now.monotonic) else { return false }
        action()
        return true
    }
}
