import Synchronization

/// Wakes one task that waits. A signal that comes while the task works is kept; further ones are one with it.
public final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    public init() {}

    /// From any thread.
    public func raise() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            if state.waiting == nil { state.isRaised = true }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Returns on a signal, or after `span`. One task at a time may wait.
    public func wait(upTo span: Duration) async {
        let timer = Task {
            guard (try? await Task.sleep(for: max(span, .milliseconds(1)))) != nil else { return }
            raise()
        }
        await withCheckedContinuation { continuation in
            let isRaised = state.withLock { state in
                defer { state.isRaised = false }
                if !state.isRaised { state.waiting = continuation }
                return state.isRaised
            }
            if isRaised { continuation.resume() }
        }
        timer.cancel()
    }
}
