import Dispatch
import Synchronization

/// Jobs from any thread for threads that may block, first in, first out.
public final class WorkQueue<Job: Sendable>: Sendable {
    private struct State {
        var jobs: [Job] = []
        /// The index of the first job not yet taken.
        var head = 0
        var sleepers = 0
        var isClosed = false

        var count: Int { jobs.count - head }
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let capacity: Int

    /// - Parameter capacity: how many jobs may wait; past that `post` refuses.
    public init(capacity: Int) {
        self.capacity = capacity
    }

    public var isClosed: Bool { state.withLock { $0.isClosed } }

    /// False when the queue is full or closed; the job was not taken then.
    public func post(_ job: Job) -> Bool {
        let (taken, sleeping) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, state.count < capacity else { return (false, false) }
            state.jobs.append(job)
            return (true, Self.takeSleeper(&state))
        }
        if sleeping { wake.signal() }
        return taken
    }

    /// All waiting jobs, up to `limit`; blocks until there is one. Nil when closed and empty.
    public func nextBatch(limit: Int) -> [Job]? {
        take { Self.remove(&$0, limit: limit) }
    }

    /// The jobs that wait now, up to `limit`.
    public func poll(limit: Int) -> [Job] {
        state.withLock { Self.remove(&$0, limit: limit) }
    }

    /// The next job; blocks until there is one. Nil when closed and empty.
    public func next() -> Job? {
        take { state in
            let job = state.jobs[state.head]
            Self.advance(&state, to: state.head + 1)
            return job
        }
    }

    /// Takes no more jobs; those that wait are still handed out.
    public func close() {
        let sleepers = state.withLock { state in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { wake.signal() }
    }

    private func take<Taken: Sendable>(_ remove: (inout State) -> Taken) -> Taken? {
        while true {
            let (taken, isClosed) = state.withLock { state -> (Taken?, Bool) in
                if state.count > 0 { return (remove(&state), false) }
                if state.isClosed { return (nil, true) }
                state.sleepers += 1
                return (nil, false)
            }
            if taken != nil || isClosed { return taken }
            wake.wait()
        }
    }

    private static func remove(_ state: inout State, limit: Int) -> [Job] {
        if state.head == 0, state.jobs.count <= limit {
            defer { state.jobs = [] }
            return state.jobs
        }
        let end = min(state.jobs.count, state.head + limit)
        defer { advance(&state, to: end) }
        return Array(state.jobs[state.head..<end])
    }

    private static func takeSleeper(_ state: inout State) -> Bool {
        guard state.sleepers > 0 else { return false }
        state.sleepers -= 1
        return true
    }

    /// Moves the head; the room of taken jobs is given back now and then, so that taking stays cheap.
    private static func advance(_ state: inout State, to head: Int) {
        state.head = head
        if state.count == 0 {
            state.jobs.removeAll(keepingCapacity: head <= 1024)
            state.head = 0
        } else if head > 1024, head * 2 > state.jobs.count {
            state.jobs.removeFirst(head)
            state.head = 0
        }
    }
}
