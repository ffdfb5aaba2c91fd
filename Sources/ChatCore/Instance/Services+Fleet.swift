import ChatDomain
import ChatProtocol
import JSON
import Synchronization
import Telemetry

/// Questions about the whole fleet, and this instance's answers to them.
extension Services {
    /// - Parameter name: the one instance to ask; nil to ask all.
    /// - Throws: as `FleetQuestions.ask`.
    package func askFleet(
        _ question: FleetQuestion, of name: InstanceID? = nil
    ) async throws(ChatError) -> FleetAnswers {
        try await questions.ask(question, of: name) { [self] in await answer($0) }
    }

    /// Another instance asks.
    func received(_ question: FleetQuestion, _ ticket: FleetTicket) {
        Task { [self] in
            let answer = await answer(question)
            let message = InstanceMessage.answer(ticket, by: configuration.instance, answer)
            presence.directory.send(message.encoded, to: ticket.asker)
        }
    }

    private func answer(_ question: FleetQuestion) async -> [UInt8] {
        switch question {
        case .sessions(let query):
            let page = await survey(SessionPage(query), { .surveySessions(query, $0) }) { $0.add($1) }
            return EventJSON.object { page.write(into: &$0) }
        case .rooms(let query):
            let page = await survey(RoomPage(query), { .surveyRooms(query, $0) }) { $0.add($1) }
            return EventJSON.object { page.write(into: &$0) }
        case .stats: return await InstanceStats.write(self)
        case .drain: return drain()
        case .reload:
            let report = await control.reload()
            return EventJSON.object { report.write(into: &$0) }
        }
    }

    /// Answers at once; the sessions go meanwhile.
    private func drain() -> [UInt8] {
        if !readiness.isDraining { Task { [control] in await control.drain() } }
        return EventJSON.object { $0.member("sessions", metrics.sessions.value) }
    }

    /// Has every shard give its part of an answer.
    private func survey<Page: Sendable>(
        _ empty: Page, _ ask: (@escaping @Sendable (Page) -> Void) -> ShardMessage,
        _ add: (inout Page, Page) -> Void
    ) async -> Page {
        var whole = empty
        for shard in 0..<UInt16(clamping: shardCount) {
            let part = await withCheckedContinuation { continuation in
                mailbox(shard).post(ask { continuation.resume(returning: $0) })
            }
            add(&whole, part)
        }
        return whole
    }
}
