import ChatDomain
import Synchronization

/// REST calls that wait for a room's answer, wherever the room is at home.
package final class CallTable: Sendable {
    private struct State {
        var waiting: [UInt64: CheckedContinuation<RoomReply, Never>] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Waits for the answer to what `ask` asks under the ticket it is given. Every command to a room is answered.
    package func call(_ ask: (RequestOrigin) -> Void) async -> RoomReply {
        await withCheckedContinuation { continuation in
            let ticket = state.withLock { state in
                state.last += 1
                state.waiting[state.last] = continuation
                return state.last
            }
            ask(.call(ticket))
        }
    }

    package func answer(_ ticket: UInt64, _ reply: RoomReply) {
        state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume(returning: reply)
    }
}
