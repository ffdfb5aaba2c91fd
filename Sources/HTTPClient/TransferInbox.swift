import CCurl
import Synchronization

/// Requests on their way to the thread that performs them.
final class TransferInbox: Sendable {
    struct Submission: Sendable {
        let request: HTTPClientRequest
        let deadline: ContinuousClock.Instant
        /// Called once, on the client's thread.
        let finish: @Sendable (Result<HTTPClientResponse, HTTPClientError>) -> Void
    }

    private struct State {
        var submissions: [Submission] = []
        var isClosed = false
        /// The address of the multi handle that waits for requests; nil while there is none.
        var multi: UInt?
    }

    private let state = Mutex(State())

    /// False when the inbox is closed; the submission was not taken then.
    func post(_ submission: Submission) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.submissions.append(submission)
            Self.wake(state)
            return true
        }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            Self.wake(state)
        }
    }

    /// Takes everything out.
    func takeAll() -> (submissions: [Submission], isClosed: Bool) {
        state.withLock { state in
            defer { state.submissions = [] }
            return (state.submissions, state.isClosed)
        }
    }

    /// Names the handle whose `curl_multi_poll` is woken when something comes in; nil before the handle is freed.
    func setWaiting(_ multi: UnsafeMutableRawPointer?) {
        let address = multi.map { UInt(bitPattern: $0) }
        state.withLock { $0.multi = address }
    }

    /// Called under the lock, so that the handle is not freed meanwhile.
    private static func wake(_ state: State) {
        if let multi = state.multi.flatMap(UnsafeMutableRawPointer.init(bitPattern:)) { curl_multi_wakeup(multi) }
    }
}
