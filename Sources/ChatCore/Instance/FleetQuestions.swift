import ChatDomain

/// Puts questions to all instances of the fleet, this one among them, and waits for their answers. See ADR 43.
package final class FleetQuestions: Sendable {
    /// Questions that wait for answers at most.
    private static let maximumWaiting = 32
    /// Bytes of an answer at most.
    private static let maximumAnswerBytes = 4 << 20

    private let instance: InstanceID
    private let directory: any SessionDirectory
    private let waits: InstanceWaits<[UInt8]>

    package init(instance: InstanceID, directory: any SessionDirectory, clock: any ChatClock) {
        self.instance = instance
        self.directory = directory
        waits = InstanceWaits(clock: clock, limit: Self.maximumWaiting)
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
        await waits.wait(for: ticket.number, upTo: question.deadline)
        return FleetAnswers(waits.end(ticket.number), asked: asked, isFleetKnown: others != nil)
    }

    /// Takes an answer. One that was not asked for, came too late or is too long is dropped.
    package func receivedAnswer(to ticket: FleetTicket, by instance: InstanceID, _ answer: [UInt8]) {
        guard ticket.asker == self.instance, answer.count <= Self.maximumAnswerBytes else { return }
        waits.receivedAnswer(answer, to: ticket.number, by: instance)
    }

    /// The instances whose answers a question waits for; none once it waits no more.
    func missing(_ ticket: FleetTicket) -> Set<InstanceID> { waits.missing(ticket.number) }

    private func begin(_ asked: Set<InstanceID>) throws(ChatError) -> FleetTicket {
        guard let number = waits.begin(asked) else {
            throw ChatError(.overloaded, "too many questions to the fleet wait for answers")
        }
        return FleetTicket(asker: instance, number: number)
    }
}
