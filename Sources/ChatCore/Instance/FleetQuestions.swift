import ChatDomain
import Synchronization

/// Puts questions to all instances of the fleet, this one among them, and waits for their answers. See ADR 43.
package final class FleetQuestions: Sendable {
    /// Questions that wait for answers at most.
    private static let maximumWaiting = 32
    /// Bytes of an answer at most.
    private static let maximumAnswerBytes = 4 << 20

    private struct Wait {
        var missing: Set<InstanceID>
        var answers: [InstanceID: [UInt8]] = [:]
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var last: UInt64 = 0
        var waits: [UInt64: Wait] = [:]
    }

    private let instance: InstanceID
    private let directory: any SessionDirectory
    private let clock: any ChatClock
    private let state = Mutex(State())

    package init(instance: InstanceID, directory: any SessionDirectory, clock: any ChatClock) {
        self.instance = instance
        self.directory = directory
        self.clock = clock
    }

    /// - Parameters:
    ///   - name: the one instance to ask; nil to ask all.
    ///   - answer: answers for this instance.
    /// - Returns: what was answered until the question's deadline.
    /// - Throws: `overloaded` while too many questions wait, `not_found` where no live instance has this name.
    package func ask(
        _ question: FleetQuestion, of name: InstanceID? = nil,
        answer: @escaping @Sendable (FleetQuestion) async -> [UInt8]
    ) async throws(ChatError) -> FleetAnswers {
        let others = await directory.others()
        var asked = (others ?? []).union([instance])
        if let name {
            guard asked.contains(name) else { throw ChatError(.notFound, "no live instance has this name") }
            asked = [name]
        }
        let ticket = try begin(asked)
        if asked.contains(instance) {
            Task { [self, instance] in receivedAnswer(to: ticket, by: instance, await answer(question)) }
        }
        let message = InstanceMessage.question(ticket, question.encoded).encoded
        if let name, name != instance {
            directory.send(message, to: name)
        } else if asked != [instance] {
            directory.send(message, to: nil)
        }
        await wait(for: ticket, upTo: question.deadline)
        let answers = state.withLock { $0.waits.removeValue(forKey: ticket.number)?.answers } ?? [:]
        return FleetAnswers(answers, asked: asked, isFleetKnown: others != nil)
    }

    /// Takes an answer. One that was not asked for, came too late or is too long is dropped.
    package func receivedAnswer(to ticket: FleetTicket, by instance: InstanceID, _ answer: [UInt8]) {
        guard ticket.asker == self.instance, answer.count <= Self.maximumAnswerBytes else { return }
        resume(ticket) { wait in
            guard wait.missing.remove(instance) != nil else { return false }
            wait.answers[instance] = answer
            return wait.missing.isEmpty
        }
    }

    /// The instances whose answers a question waits for; none once it waits no more.
    func missing(_ ticket: FleetTicket) -> Set<InstanceID> {
        state.withLock { $0.waits[ticket.number]?.missing ?? [] }
    }

    private func begin(_ asked: Set<InstanceID>) throws(ChatError) -> FleetTicket {
        let number = state.withLock { state -> UInt64? in
            guard state.waits.count < Self.maximumWaiting else { return nil }
            state.last += 1
            state.waits[state.last] = Wait(missing: asked)
            return state.last
        }
        guard let number else { throw ChatError(.overloaded, "too many questions to the fleet wait for answers") }
        return FleetTicket(asker: instance, number: number)
    }

    private func wait(for ticket: FleetTicket, upTo limit: Duration) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.waits[ticket.number]?.missing.isEmpty == false else { return true }
                state.waits[ticket.number]?.continuation = continuation
                return false
            }
            if isOver { return continuation.resume() }
            clock.schedule(after: limit) { [self] in resume(ticket) { _ in true } }
        }
    }

    private func resume(_ ticket: FleetTicket, when isDue: (inout Wait) -> Bool) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard var wait = state.waits[ticket.number] else { return nil }
            defer { state.waits[ticket.number] = wait }
            guard isDue(&wait) else { return nil }
            defer { wait.continuation = nil }
            return wait.continuation
        }
        continuation?.resume()
    }
}
