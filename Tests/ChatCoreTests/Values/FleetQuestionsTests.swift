import ChatDomain
import JSON
import TestSupport
import Testing

@testable import ChatCore

/// Questions to all instances, and what is made of their answers.
@Suite struct FleetQuestionsTests {
    private let clock = ManualClock()
    private let exchange = DirectoryExchange()
    private let questions: FleetQuestions
    private let one = InstanceID("one")
    private let done = CallbackLog<FleetAnswers?>()

    init() {
        questions = FleetQuestions(instance: one, directory: DirectoryDouble(one, on: exchange), clock: clock)
    }

    private func join(_ name: String) -> DirectoryDouble {
        let directory = DirectoryDouble(InstanceID(name), on: exchange)
        directory.start { _ in }
        return directory
    }

    /// Asks, and returns once the question waits for answers of others.
    private func ask(_ question: FleetQuestion = .stats, of name: InstanceID? = nil) async {
        Task { [questions, done] in
            done.add(
                try? await questions.ask(question, of: name) { _ in Array(#"{"sessions":1,"from":"one"}"#.utf8) })
        }
        #expect(await eventually { clock.pendingTimers == 1 })
    }

    private var ticket: FleetTicket? {
        for sent in exchange.sent.reversed() {
            if case .question(let ticket, _) = sent.message { return ticket }
        }
        return nil
    }

    private var answers: FleetAnswers? { done.entries.first ?? nil }

    @Test func aSingleInstanceAnswersForItself() async throws {
        let answers = try await questions.ask(.stats) { _ in Array("{}".utf8) }
        #expect(answers.answers.map(\.instance) == [one])
        #expect(answers.unanswered.isEmpty && answers.isFleetKnown)
        #expect(exchange.sent.isEmpty)
    }

    @Test func itReturnsOnceAllHaveAnswered() async throws {
        _ = (join("two"), join("three"))
        await ask()
        let ticket = try #require(self.ticket)
        questions.receivedAnswer(to: ticket, by: InstanceID("two"), Array("{}".utf8))
        // Neither a stranger, nor an answer to another instance's question, nor a second answer counts.
        questions.receivedAnswer(to: ticket, by: InstanceID("four"), Array("{}".utf8))
        questions.receivedAnswer(
            to: FleetTicket(asker: InstanceID("two"), number: ticket.number), by: InstanceID("three"), [])
        questions.receivedAnswer(to: ticket, by: InstanceID("two"), Array(#"{"late":1}"#.utf8))
        #expect(done.entries.isEmpty)
        questions.receivedAnswer(to: ticket, by: InstanceID("three"), Array(#"{"x":3}"#.utf8))
        #expect(await eventually { done.entries.count == 1 })
        #expect(answers?.answers.map(\.instance.value) == ["one", "three", "two"])
        #expect(answers?.answers.last?.root == .object([:]))
        #expect(answers?.unanswered == [])
    }

    @Test func instancesThatDoNotAnswerInTimeAreNamed() async throws {
        _ = (join("two"), join("three"))
        await ask()
        let ticket = try #require(self.ticket)
        questions.receivedAnswer(to: ticket, by: InstanceID("two"), Array("no JSON".utf8))
        #expect(await eventually { questions.missing(ticket) == [InstanceID("three")] })
        clock.advance(by: .milliseconds(1999))
        #expect(done.entries.isEmpty)
        clock.advance(by: .milliseconds(1))
        #expect(await eventually { done.entries.count == 1 })
        // What is no object is no answer.
        #expect(answers?.answers.map(\.instance) == [one])
        #expect(answers?.unanswered.map(\.value) == ["three", "two"])
        questions.receivedAnswer(to: ticket, by: InstanceID("three"), Array("{}".utf8))
    }

    @Test func oneInstanceIsAskedByName() async throws {
        _ = (join("two"), join("three"))
        await ask(.drain, of: InstanceID("two"))
        #expect(exchange.sent.last?.to == InstanceID("two"))
        let ticket = try #require(self.ticket)
        questions.receivedAnswer(to: ticket, by: InstanceID("two"), Array("{}".utf8))
        #expect(await eventually { answers?.answers.map(\.instance.value) == ["two"] })
        await #expect(throws: ChatError(.notFound, "no live instance has this name")) {
            _ = try await questions.ask(.drain, of: InstanceID("nobody")) { _ in [] }
        }
    }

    @Test func aFleetThatIsNotKnownMakesTheAnswerIncomplete() async throws {
        exchange.setReachable(false)
        let answers = try await questions.ask(.stats) { _ in Array("{}".utf8) }
        #expect(!answers.isFleetKnown && answers.answers.map(\.instance) == [one])
    }

    @Test(
        arguments: [
            .stats, .drain, .reload, .rooms(RoomQuery(limit: 1)),
            .rooms(RoomQuery(filter: TextFilter("a\"b"), order: .lastSeq, limit: 200)),
            .sessions(SessionQuery(limit: 7)),
            .sessions(
                SessionQuery(
                    user: user("böb"), room: room("lobby"), filter: TextFilter("x"), order: .queuedBytes, limit: 3)),
        ] as [FleetQuestion])
    func everyQuestionComesBackAsItWas(_ question: FleetQuestion) {
        #expect(FleetQuestion(decoding: question.encoded) == question)
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"ask":"secrets"}"#, #"{"ask":"sessions"}"#,
        #"{"ask":"sessions","limit":0,"order":"userId"}"#,
        #"{"ask":"sessions","limit":201,"order":"userId"}"#, #"{"ask":"sessions","limit":1e300,"order":"userId"}"#,
        #"{"ask":"sessions","limit":5,"order":"size"}"#, #"{"ask":"rooms","limit":-1,"order":"roomId"}"#,
    ])
    func anythingElseIsNoQuestion(_ text: String) { #expect(FleetQuestion(decoding: Array(text.utf8)) == nil) }
}

/// Pages that are put together from the answers of instances.
@Suite struct FleetPagesTests {
    private func answer(_ name: String, _ text: String) throws -> FleetAnswer {
        FleetAnswer(instance: InstanceID(name), root: try JSONValue(parsing: Array(text.utf8)))
    }

    private func session(_ id: String, at second: Int, queued: Int = 0) -> String {
        #"{"socketId":"\#(id)","userId":"u","username":"U","framing":"event","connectedAt":"2026-11-29T15:00:0\#(second).000Z","#
            + #""lastActivity":"2026-11-29T15:00:00.000Z","queuedBytes":\#(queued),"rooms":["r"],"roomCount":1}"#
    }

    @Test func sessionsOfAllInstancesAreInOneOrder() throws {
        var page = SessionPage(SessionQuery(order: .connectedAt, limit: 2))
        page.add(try answer("b", #"{"total":5,"sessions":[\#(session("b1", at: 2)),\#(session("b2", at: 3))]}"#))
        page.add(try answer("a", #"{"total":1,"sessions":[\#(session("a1", at: 1)),{"socketId":7},null]}"#))
        #expect(page.sessions.map(\.id.value) == ["a1", "b1"])
        // The instance is the one that answered, whatever it says.
        #expect(page.sessions.map(\.instance.value) == ["a", "b"])
        #expect(page.total == 6)
        var slow = SessionPage(SessionQuery(order: .queuedBytes, limit: 1))
        slow.add(
            try answer("a", #"{"total":2,"sessions":[\#(session("x", at: 1)),\#(session("y", at: 2, queued: 9))]}"#))
        #expect(slow.sessions.map(\.id.value).count == 1)
    }

    @Test(arguments: [
        "{}", #"{"sessions":7,"total":"x"}"#, #"{"sessions":[[]],"total":-9223372036854775808}"#,
        #"{"sessions":[{"socketId":"s","framing":"event","connectedAt":"x","lastActivity":"x","queuedBytes":0}]}"#,
    ])
    func anAnswerThatIsNoneAddsNothing(_ text: String) throws {
        var page = SessionPage(SessionQuery(limit: 2))
        page.add(try answer("a", text))
        #expect(page.sessions.isEmpty && page.total == 0)
        var rooms = RoomPage(RoomQuery(limit: 2))
        rooms.add(try answer("a", #"{"rooms":[{"roomId":"","sessions":1},{"roomId":"r","sessions":-1}],"total":1e99}"#))
        #expect(rooms.rooms.isEmpty && rooms.total == 0)
    }

    @Test func aRoomOnSeveralInstancesIsListedOnce() throws {
        var page = RoomPage(RoomQuery(order: .sessions, limit: 2))
        page.add(try answer("a", #"{"total":1,"rooms":[{"roomId":"r","sessions":2,"lastSeq":9}]}"#))
        page.add(
            try answer(
                "b",
                #"{"total":9,"rooms":[{"roomId":"s","sessions":3,"lastSeq":1},{"roomId":"r","sessions":2,"lastSeq":8}]}"#
            ))
        #expect(page.rooms.map(\.id.value) == ["r", "s"])
        #expect(page.rooms.first?.sessions == 4 && page.rooms.first?.lastSequence == 9)
        #expect(page.rooms.first?.instances == [InstanceID("a"), InstanceID("b")])
        #expect(page.total == 9)
    }

    @Test func aSearchDisregardsTheCaseOfLetters() {
        #expect(TextFilter("ADA").matches("xadax") && TextFilter("").matches("x"))
        #expect(!TextFilter("ada").matches("ad") && !TextFilter("ada").matches(""))
        #expect(TextFilter("ö").matches("böb"))
    }
}
