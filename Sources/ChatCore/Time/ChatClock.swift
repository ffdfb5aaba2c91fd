import ChatDomain

/// The time of code that runs off the loops, as `LoopContext` is that of code on one.
///
/// Everything here may be called from any thread. Tests fulfil it with manual time.
package protocol ChatClock: Sendable {
    /// Both clocks, as they are now.
    var now: Now { get }

    /// Runs `action` once, `span` from now or later, on a thread that must not be blocked.
    func schedule(after span: Duration, _ action: @escaping @Sendable () -> Void)
}

extension ChatClock {
    /// Returns `span` from now or later.
    func sleep(for span: Duration) async {
        await withCheckedContinuation { continuation in schedule(after: span) { continuation.resume() } }
    }
}
