internal import CUV
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

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

    private struct Inbox {
        var items: [Item] = []
        var isClosed = false
    }

    public let name: String
    let uv: UnsafeMutablePointer<uv_loop_t>
    private let wakeup: Wakeup
    private let turn: UnsafeMutablePointer<uv_prepare_t>
    /// While it runs, the loop looks for input without waiting for it.
    private let again: UnsafeMutablePointer<uv_idle_t>
    private let timer: UnsafeMutablePointer<uv_timer_t>
    private let identity = Atomic<UInt>(0)
    private let inbox = Mutex(Inbox())

    // Confined to the loop's thread.
    private var local = TurnQueue<Item>()
    /// The items taken from the inbox, which gets the emptied buffer back.
    private var received: [Item] = []
    private var timers = TimerQueue()
    private var timerDeadline: Int64?
    private var wallClock: Int64 = 0
    private var isStopping = false
    /// When this turn's first input was handled, in nanoseconds; nil before that.
    private var inputBegan: UInt64?
    private lazy var tasks = LoopTaskExecutor(self)

    /// Called at the end of every turn, before the loop waits. Set it before `start`, or on the loop.
    public var turnEnd: () -> Void = {}

    /// How long the turn has been at work: on its input first, and in `turnEnd` on what comes of it.
    public var turnTime: Duration {
        inputBegan.map { .nanoseconds(Int64(clamping: uv_hrtime() &- $0)) } ?? .zero
    }

    public init(name: String) {
        self.name = name
        uv = .allocate(capacity: 1)
        turn = .allocate(capacity: 1)
        again = .allocate(capacity: 1)
        timer = .allocate(capacity: 1)
        precondition(uv_loop_init(uv) == 0, "no event loop: out of descriptors")
        wakeup = Wakeup(uv)
        uv_prepare_init(uv, turn)
        uv_idle_init(uv, again)
        uv_timer_init(uv, timer)
        let this = Unmanaged.passUnretained(self).toOpaque()
        wakeup.handle.pointee.data = this
        wakeup.start { handle, _, _ in EventLoop.of(handle).drainInbox() }
        turn.pointee.data = this
        timer.pointee.data = this
    }

    private static func of<Handle>(_ handle: UnsafeMutablePointer<Handle>?) -> EventLoop {
        guard let data = handle.flatMap({ cuv_get_data($0) }) else { fatalError("handle without its loop") }
        return Unmanaged<EventLoop>.fromOpaque(data).takeUnretainedValue()
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
        refreshWallClock()
        uv_prepare_start(turn) { EventLoop.of($0).finishTurn() }
        uv_run(uv, UV_RUN_DEFAULT)
        identity.store(0, ordering: .releasing)
    }

    /// Ends the loop after the turn in which it sees the request. Work posted later is dropped.
    public func stop() {
        post {
            self.isStopping = true
            uv_stop(self.uv)
        }
    }

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
                guard !inbox.items.isEmpty, !inbox.isClosed else { return false }
                inbox.items.append(.work(work))
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
            guard !inbox.isClosed else { return false }
            inbox.items.append(item)
            return inbox.items.count == 1
        }
        if wasEmpty { wakeup.wake() }
    }

    /// Has the next turn begin at once, whether or not there is input for it.
    public func turnAgain() {
        preconditionInLoop()
        uv_idle_start(again) { _ in }
    }

    @inline(__always)
    func noteInput() { if inputBegan == nil { inputBegan = uv_hrtime() } }

    private func drainInbox() {
        noteInput()
        wakeup.take()
        // The loop may have slept since it was read last.
        refreshWallClock()
        inbox.withLock { swap(&$0.items, &received) }
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
        refreshWallClock()
        uv_idle_stop(again)
        repeat {
            while !local.isEmpty {
                var items = local.take()
                for item in items { run(item) }
                local.recycle(&items)
            }
            turnEnd()
        } while !local.isEmpty
        armTimer()
        inputBegan = nil
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

    func enqueuePart(of task: consuming ExecutorJob) { add(.part(UnownedJob(task))) }

    public func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    public func checkIsolated() { preconditionInLoop() }

    public func isIsolatingCurrentContext() -> Bool? { isCurrent }

    // MARK: Time

    /// Milliseconds from an arbitrary start, read once per turn.
    public var monotonicMilliseconds: Int64 { Int64(uv_now(uv)) }

    /// Milliseconds since the Unix epoch, read once per turn.
    public var wallMilliseconds: Int64 { wallClock }

    private func refreshWallClock() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        wallClock = Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

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

    private func armTimer() {
        guard timers.nextDeadline != timerDeadline else { return }
        timerDeadline = timers.nextDeadline
        guard let deadline = timerDeadline else {
            uv_timer_stop(timer)
            return
        }
        uv_timer_start(timer, { EventLoop.of($0).fireTimers() }, UInt64(max(0, deadline - monotonicMilliseconds)), 0)
    }

    private func fireTimers() {
        noteInput()
        timerDeadline = nil
        refreshWallClock()
        let now = monotonicMilliseconds
        while let action = timers.popDue(at: now) { action() }
    }
}

/// Has tasks run on an event loop as long as nothing else is asked for.
private final class LoopTaskExecutor: TaskExecutor {
    private unowned let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) { loop.enqueuePart(of: job) }
}
