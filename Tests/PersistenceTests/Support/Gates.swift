import Dispatch
import Synchronization

/// Holds a thread until it is let go.
final class Gate: Sendable {
    private let arrived = Countdown(1)
    private let way = DispatchSemaphore(value: 0)

    /// Called by the thread to be held.
    func pass() {
        arrived.hit()
        way.wait()
    }

    func reached() async { await arrived.finished() }

    func open() { way.signal() }
}

/// Waits for a number of things to happen.
final class Countdown: Sendable {
    private let state: Mutex<(left: Int, waiter: CheckedContinuation<Void, Never>?)>

    init(_ count: Int) { state = Mutex((count, nil)) }

    func hit() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.left -= 1
            guard state.left == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func finished() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.left > 0 { state.waiter = continuation }
                return state.left <= 0
            }
            if isDone { continuation.resume() }
        }
    }
}
