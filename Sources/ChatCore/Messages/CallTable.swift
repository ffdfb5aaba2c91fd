import ChatDomain
import Synchronization

/// REST calls that wait for a room's answer, wherever the room is at home.
package final class CallTable: Sendable {
    private enum Progress {
        case asked
        case waiting(CheckedContinuation<RoomReply, Never>)
        case answered(RoomReply)
    }

    private struct State {
        var calls: [UInt64: Progress] = [:]
        var last: UInt64 = 0

        mutating func takeAnswer(_ ticket: UInt64) -> RoomReply? {
            guard case .answered(let reply) = calls[ticket] else { return nil }
            calls[ticket] = nil
            return reply
        }
    }

    /// A call under way. It has to be waited for, unless its answer is there.
    package struct Call: Sendable {
        fileprivate let ticket: UInt64
        /// The answer, where it was given while the room was asked.
        package let answer: RoomReply?
    }

    private let state = Mutex(State())

    /// Has `ask` ask a room under the ticket it is given. Every command to a room is answered.
    package func begin(_ ask: (RequestOrigin) -> Void) -> Call {
        let ticket = state.withLock { state in
            state.last += 1
            state.calls[state.last] = .asked
            return state.last
        }
        ask(.call(ticket))
        return Call(ticket: ticket, answer: state.withLock { $0.takeAnswer(ticket) })
    }

    /// Waits for the answer.
    package func reply(to call: Call) async -> RoomReply {
        if let answer = call.answer { return answer }
        return await withCheckedContinuation { continuation in
            let answer = state.withLock { state in
                let answer = state.takeAnswer(call.ticket)
                if answer == nil { state.calls[call.ticket] = .waiting(continuation) }
                return answer
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Asks, and waits for the answer.
    package func call(_ ask: (RequestOrigin) -> Void) async -> RoomReply { await reply(to: begin(ask)) }

    package func answer(_ ticket: UInt64, _ reply: RoomReply) {
        let waiting = state.withLock { state -> CheckedContinuation<RoomReply, Never>? in
            switch state.calls[ticket] {
            case .waiting(let continuation):
                state.calls[ticket] = nil
                return continuation
            case .asked:
                state.calls[ticket] = .answered(reply)
                return nil
            case .answered, nil: return nil
            }
        }
        waiting?.resume(returning: reply)
    }
}
