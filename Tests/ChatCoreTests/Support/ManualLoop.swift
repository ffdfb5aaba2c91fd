import ChatDomain
import Synchronization

@testable import ChatCore

/// A loop whose time a test moves. Messages and due timers run when the test says so, one turn after the other.
final class ManualLoop: LoopContext {
    private struct Timer {
        let id: LoopTimer
        let deadline: Moment
        let action: () -> Void
    }

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
    /// Where messages for this shard go; set by the shard under test.
    var dispatch: (ShardMessage) -> Void = { _ in }
    /// The end of a turn.
    var turnEnd: () -> Void = {}
    let mailbox = Mailbox<ShardMessage> {}
    private let postElsewhere: (ShardMessage, UInt16) -> Void
    private var time = Moment(milliseconds: 1_000_000)
    private var timers: [Timer] = []
    private var local: [ShardMessage] = []
    private var batch: [ShardMessage] = []
    private var continuations: [UInt64: (any Sendable) -> Void] = [:]
    private let results = Results()
    private var last: UInt64 = 0

    init(index: UInt16 = 0, postElsewhere: @escaping (ShardMessage, UInt16) -> Void = { _, _ in }) {
        self.index = index
        self.postElsewhere = postElsewhere
    }

    // MARK: As the chat sees it

    var now: Now { Now(wall: Timestamp(milliseconds: 1_700_000_000_000 + time.milliseconds), monotonic: time) }

    func post(_ message: ShardMessage, to shard: UInt16) {
        if shard == index { local.append(message) } else { postElsewhere(message, shard) }
    }

    func schedule(after span: Duration, _ action: @escaping () -> Void) -> LoopTimer {
        last += 1
        timers.append(Timer(id: LoopTimer(last), deadline: time + max(span, .zero), action: action))
        return LoopTimer(last)
    }

    func cancel(_ timer: LoopTimer) { timers.removeAll { $0.id == timer } }

    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        last += 1
        continuations[last] = { value in
            if let value = value as? Value { then(value) }
        }
        Task { [results, ticket = last] in results.add(ticket, await operation()) }
    }

    // MARK: As a test moves it

    /// Work that is off the loop.
    var outstanding: Int { continuations.count }
    var pendingTimers: Int { timers.count }

    /// Handles what waits now; whether there was anything.
    @discardableResult
    func turn() -> Bool {
        var didAnything = false
        for (ticket, value) in results.take() {
            continuations.removeValue(forKey: ticket)?(value)
            didAnything = true
        }
        mailbox.takeAll(leaving: &batch)
        let posted = batch
        batch = []
        for message in posted { dispatch(message) }
        while !local.isEmpty {
            let messages = local
            local = []
            for message in messages { dispatch(message) }
            didAnything = true
        }
        turnEnd()
        return didAnything || !posted.isEmpty || !local.isEmpty
    }

    /// Lets time pass, with every timer at its moment.
    func advance(by span: Duration) {
        let end = time + span
        while let next = timers.filter({ $0.deadline <= end }).min(by: {
            ($0.deadline, $0.id.value) < ($1.deadline, $1.id.value)
        }) {
            time = max(time, next.deadline)
            timers.removeAll { $0.id == next.id }
            next.action()
            while turn() {}
        }
        time = end
        while turn() {}
    }
}
