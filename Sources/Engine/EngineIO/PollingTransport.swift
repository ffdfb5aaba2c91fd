/// What an Engine.IO session needs as long as it polls, and most do not for long.
final class PollingTransport {
    /// The held request, which the next packets answer.
    var poll: HTTPResponder?
    /// A WebSocket that is being tried.
    var probe: Connection?
    var allowance = QueueAllowance()
    /// The action that waits for the queue to be short again.
    var drainWaiter: DrainWaiter?

    func takePoll() -> HTTPResponder? {
        defer { poll = nil }
        return poll
    }

    /// Takes the waiter when so few bytes are queued as it waits for.
    func takeDrainWaiter(at queuedBytes: Int) -> DrainWaiter? {
        guard let waiter = drainWaiter, queuedBytes <= waiter.bytes else { return nil }
        drainWaiter = nil
        return waiter
    }
}
