internal import Synchronization

/// A value on its way from one loop to another, or through a task back to its own: moved, never shared.
///
/// The sender gives up the value and all references to it; the receiver is its only owner. The compiler cannot see that for
/// a value that lived on a loop, so it is promised here, beside the other promise.
public struct Handover<Value>: @unchecked Sendable {
    public let value: Value
    public init(_ value: Value) { self.value = value }
}

/// One thread that waits for sockets, timers and other threads' posts, and a serial executor for an actor bound to it.
///
/// A loop runs in turns: it handles ready sockets, runs all work posted meanwhile, and calls `turnEnd`, until nothing is left;
/// only then does it wait again. Output and commits that a turn gathers are flushed in `turnEnd`.
///
/// `post`, `enqueue` and `stop` may be called from any thread; everything else only on the loop, which is checked.
///
/// This is the one file with `@unchecked Sendable`. It holds because `inbox` is behind a lock, `identity` is written once
/// before the thread that reads it matters, `Wakeup.wake` makes one system call, and every other member is
/// touched only after `preconditionInLoop()`.
public final class EventLoop: SerialExecutor, @unchecked Sendable {
    private enum Item {
        case job(UnownedJob)
        /// A part of a task that prefers this loop.
        case part(UnownedJob)
        case work(@Sendable () -> Void)
    }

    public let name: String
    let readiness = ReadinessQueue()
    private let wakeup: Wakeup
    private let identity = Atomic<UInt>(0)
    private let inbox = Mutex<[Item]>([])

    // Confined to the loop's thread.
    private var local = TurnQueue<Item>()
    /// The items taken from the inbox, which gets the emptied buffer back.
    private var received: [Item] = []
    var sockets = WatchedSockets()
    private var timers = TimerQueue()
    private var clocks = LoopClocks()
    private var isStopping = false
    private var isTurningAgain = false
    /// Whether this turn has something to do beside the end of the last.
    private var hasInput = false
    private lazy var tasks = LoopTaskExecutor(self)
    /// The first part of the task that `runAtOnce` begins.
    private var beginning = Beginning.nothing

    private enum Beginning {
        case nothing
        case awaited
        case part(UnownedJob)
    }

    /// Called at the end of every turn, before the loop waits. Set it before `start`, or on the loop.
    public var turnEnd: () -> Void = {}

    /// How long the turn has been at work: on its input first, and in `turnEnd` on what comes of it.
    public var turnTime: Duration { hasInput ? clocks.elapsed : .zero }

    /// How long the loop has waited for input since it began: what it has done is the rest.
    public var waitedTime: Duration { clocks.waited }

    public init(name: String) {
        self.name = name
        wakeup = Wakeup(readiness)
    }

    deinit {
        wakeup.close()
        readiness.close()
    }

    // MARK: Running

    /// Runs the loop on a thread of its own until `stop`. Keeps itself alive meanwhile.
    ///
    /// - Parameter ended: called on that thread when the loop has ended.
    public func start(ended: @escaping @Sendable () -> Void = {}) {
        Thread.start(name: name) {
            self.run()
            ended()
        }
    }

    /// Runs the loop on the calling thread until `stop`.
    public func run() {
        identity.store(Thread.current, ordering: .releasing)
        clocks.refresh()
        finishTurn()
        while !isStopping {
            takeInput()
            finishTurn()
        }
        identity.store(0, ordering: .releasing)
    }

    /// Ends the loop after the turn in which it sees the request. Work posted later is not done.
    public func stop() { post { self.isStopping = true } }

    public var isCurrent: Bool { identity.load(ordering: .acquiring) == Thread.current }

    @inline(__always)
    public func preconditionInLoop() {
        precondition(isCurrent, "called outside its event loop")
    }

    // MARK: Work from anywhere

    /// Runs `work` on the loop: in this turn when called on it, else as soon as it wakes. In order per caller.
    public func post(_ work: @escaping @Sendable () -> Void) { add(.work(work)) }

    /// As `post`, but in order over all callers, on the loop and elsewhere: for callers that a lock puts in order.
    public func postInOrder(_ work: @escaping @Sendable () -> Void) {
        // On the loop, work runs in this turn only where none of other threads waits for the next one.
        let isQueued =
            isCurrent
            && inbox.withLock { inbox in
                guard !inbox.isEmpty else { return false }
                inbox.append(.work(work))
                return true
            }
        if !isQueued { add(.work(work)) }
    }

    private func add(_ item: Item) {
        if isCurrent {
            local.append(item)
            return
        }
        let wasEmpty = inbox.withLock { inbox in
            inbox.append(item)
            return inbox.count == 1
        }
        if wasEmpty { wakeup.wake() }
    }

    /// Has the next turn begin at once, whether or not there is input for it.
    public func turnAgain() {
        preconditionInLoop()
        isTurningAgain = true
    }

    /// Waits for input, and handles what there is.
    private func takeInput() {
        let count = clocks.refresh { readiness.wait(milliseconds: longestWait) }
        isTurningAgain = false
        hasInput = count > 0
        for index in 0..<count { handle(readiness[index]) }
        fireTimers()
    }

    private func handle(_ event: ReadinessQueue.Event) {
        if event.watch == wakeup.watch { return drainInbox() }
        sockets[event.watch]?.receivedReadiness(event.readiness)
    }

    private func drainInbox() {
        wakeup.take()
        inbox.withLock { swap(&$0, &received) }
        for item in received { run(item) }
        received.removeAll(keepingCapacity: received.count <= 1024)
    }

    private func run(_ item: Item) {
        switch item {
        case .job(let job): job.runSynchronously(on: asUnownedSerialExecutor())
        case .part(let job): job.runSynchronously(on: tasks.asUnownedTaskExecutor())
        case .work(let work): work()
        }
    }

    private func finishTurn() {
        repeat {
            while !local.isEmpty {
                var items = local.take()
                for item in items { run(item) }
                local.recycle(&items)
            }
            turnEnd()
        } while !local.isEmpty
    }

    // MARK: Executor

    /// Runs `operation` on this loop, as far as it does not wait for other threads, and `then` with its result, also on this loop.
    /// For what takes little time: changing threads would cost more.
    public func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        preconditionInLoop()
        let then = Handover(then)
        Task(executorPreference: tasks) {
            let value = await operation()
            self.preconditionInLoop()
            then.value(value)
        }
    }

    /// As `run`, but begins before it returns: all of it, where nothing has to be waited for. Work that waits in this turn is
    /// overtaken, so the caller has to be where anything may run.
    public func runAtOnce<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) {
        beginning = .awaited
        run(operation, then: then)
        guard case .part(let job) = beginning else { return beginning = .nothing }
        beginning = .nothing
        job.runSynchronously(on: tasks.asUnownedTaskExecutor())
    }

    func enqueuePart(of task: consuming ExecutorJob) {
        let part = UnownedJob(task)
        if isCurrent, case .awaited = beginning { beginning = .part(part) } else { add(.part(part)) }
    }

    public func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    public func checkIsolated() { preconditionInLoop() }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    // MARK: Time

    /// Milliseconds from an arbitrary start, read once per turn.
    public var monotonicMilliseconds: Int64 { clocks.monotonicMilliseconds }

    /// Milliseconds since the Unix epoch, read once per turn.
    public var wallMilliseconds: Int64 { clocks.wallMilliseconds }

    // MARK: Timers

    /// The instant that lies `span` after now, cut to the millisecond.
    ///
    /// - Returns: monotonic milliseconds; now for a negative span, `Int64.max` for one beyond all time.
    public func deadline(after span: Duration) -> Int64 {
        let now = monotonicMilliseconds
        guard span > .zero else { return now }
        let longest = Duration.milliseconds(Int64.max - now)
        let (seconds, attoseconds) = min(span, longest).components
        return now + seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    /// Runs `action` on the loop once, `span` from now or later, to the millisecond.
    @discardableResult
    public func schedule(after span: Duration, _ action: @escaping () -> Void) -> TimerID {
        preconditionInLoop()
        return timers.add(deadline: deadline(after: span), action)
    }

    /// Does nothing for a timer that has run or was cancelled.
    public func cancel(_ id: TimerID) {
        preconditionInLoop()
        timers.cancel(id)
    }

    /// Milliseconds until something is to be done without input; negative for never.
    private var longestWait: Int32 {
        if isTurningAgain { return 0 }
        guard let deadline = timers.nextDeadline else { return -1 }
        return Int32(clamping: max(0, deadline - LoopClocks.currentMilliseconds))
    }

    private func fireTimers() {
        while let action = timers.popDue(at: monotonicMilliseconds) {
            hasInput = true
            action()
        }
    }
}

/// Has tasks run on an event loop as long as nothing else is asked for.
private final class LoopTaskExecutor: TaskExecutor {
    private unowned let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) { loop.enqueuePart(of: job) }
}
