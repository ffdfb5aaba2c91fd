import ChatDomain
import ChatTestSupport
import JSON
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import ChatCore

/// `Eraser` and `ErasureRunner` in a chat of two instances.
@Suite struct ErasureTests {
    private static func job(_ subject: ErasureSubject, _ stage: ErasureJob.Stage) -> ErasureJob {
        ErasureJob(
            id: MessageID(high: 1, low: 7), subject, at: stamp(0), stage: stage, cursor: nil, notBefore: stamp(0),
            messages: 0, passes: 0, changedInPass: 0)
    }

    /// Performs steps on the first instance until the job has left the stage.
    private func finishStage(of job: ErasureJob, _ chat: ChatUnderTest) async throws -> ErasureJob {
        let done = Mutex<Result<ErasureJob, StoreError>?>(nil)
        let eraser = Eraser(services: chat.services)
        let task = Task {
            var next = job
            do throws(StoreError) {
                repeat { next = try await eraser.perform(next) } while next.stage == job.stage
                done.withLock { [next] in $0 = .success(next) }
            } catch {
                done.withLock { $0 = .failure(error) }
            }
        }
        #expect(await chat.run { done.withLock { $0 != nil } })
        await task.value
        await chat.runUntilQuiet()
        return try #require(done.withLock { $0 }).get()
    }

    @Test func noInstanceKeepsTheTextInMemory() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat async throws in
            let ann = await chat.client("ann", in: "lobby")
            let bob = await chat.client("bob", in: "lobby", on: 1)
            ann.send("send_message", #"{"roomId":"lobby","message":"secret"}"#)
            bob.send("send_message", #"{"roomId":"lobby","message":"hello <@ann>"}"#)
            await chat.runUntilQuiet()
            #expect(Set(bob.messages) == ["secret", "hello <@ann>"])
            let erased = try await finishStage(of: Self.job(.user(user("ann"), .erase), .messages), chat)
            #expect(erased.messages == 1 && erased.stage == .files)
            #expect(!bob.channel.events("resync_required").isEmpty)
            for instance in 0...1 {
                let late = await chat.client("cy\(instance)", on: instance)
                late.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
                await chat.runUntilQuiet()
                let texts = late.answer(1)?.data["messages"]?.array?.compactMap { $0["message"]?.string }
                #expect(Set(texts ?? []) == ["", "hello <@erased-\(erased.id)>"], "instance \(instance)")
            }
        }
    }

    @Test func expiredMessagesAreNotAnnounced() async throws {
        var setup = ChatSetup(instances: 2)
        setup.configuration = { $0.retention = RetentionRule(days: 1) }
        try await ChatUnderTest.serve(setup) { chat async throws in
            try await chat.store.fill("lobby", count: 3)
            let bob = await chat.client("bob", in: "lobby", on: 1)
            let expired = try await finishStage(of: Self.job(.expiredMessages, .messages), chat)
            #expect(expired.messages == 3 && expired.stage == .purging)
            #expect(bob.channel.events("resync_required").isEmpty)
            bob.send("leave_room", #"{"roomId":"lobby"}"#)
            bob.send("join_room", #"{"roomId":"lobby"}"#, id: 1)
            await chat.runUntilQuiet()
            let texts = bob.answer(1)?.data["messages"]?.array?.compactMap { $0["message"]?.string }
            #expect(texts == ["", "", ""])
        }
    }

    @Test func anErasedRoomClosesEverywhere() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat async throws in
            let bob = await chat.client("bob", in: "lobby", on: 1)
            _ = try await finishStage(of: Self.job(.room(room("lobby")), .closing), chat)
            bob.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(bob.answer(1)?.code == "not_joined")
        }
    }

    @Test func anErasedUserIsLoggedOut() async throws {
        try await ChatUnderTest.serve(ChatSetup(instances: 2)) { chat async throws in
            let ann = await chat.client("ann", in: "lobby", on: 1)
            let next = try await finishStage(of: Self.job(.user(user("ann"), .erase), .closing), chat)
            #expect(next.stage == .waiting && next.notBefore > chat.clock.now.wall)
            #expect(ann.channel.closed != nil)
        }
    }

    /// Messages of the log once the runner has looked for expired messages, and has then erased a room.
    private func logOfRetention(days: Int) async throws -> [String] {
        let sink = CollectingSink()
        var setup = ChatSetup(logger: Logger(level: .info, format: .json, sink: sink))
        setup.configuration = { $0.retention = RetentionRule(days: days) }
        try await ChatUnderTest.serve(setup) { chat async throws in
            try await chat.store.fill("lobby", count: 3)
            _ = try await chat.services.requestErasure(of: .expiredMessages)
            await chat.advance(by: .milliseconds(1))
            let last = try await chat.services.requestErasure(of: .room(room("attic")))
            let runner = ErasureRunner(services: chat.services)
            runner.start()
            #expect(
                await eventually {
                    await chat.runUntilQuiet()
                    return sink.lines.contains { $0.contains("\(last.id)") }
                })
            runner.stop()
        }
        return try sink.lines.map { try JSONValue(parsing: $0.utf8)["message"]?.string ?? "" }
    }

    @Test func aLookForExpiredMessagesIsLoggedWhereThereWereSome() async throws {
        #expect(try await logOfRetention(days: 0) == ["erasure finished"])
        #expect(try await logOfRetention(days: 1) == ["expired messages erased", "erasure finished"])
    }

    @Test func aJobIsDoneInTheBackground() async throws {
        try await ChatUnderTest.serve { chat async throws in
            try await chat.store.fill("lobby", count: 3)
            let job = try await chat.services.requestErasure(of: .room(room("lobby")))
            #expect(try await chat.services.requestErasure(of: .room(room("lobby"))) == job)
            let runner = ErasureRunner(services: chat.services)
            runner.start()
            #expect(
                await eventually {
                    await chat.runUntilQuiet()
                    return (try? await chat.store.real.erasure(job.subject.key)) == .some(nil)
                })
            runner.stop()
            #expect(try await chat.store.messages(in: "lobby").allSatisfy(\.isEmpty))
        }
    }
}
