import ChatDomain
import ChatTestSupport
import JSON
import Telemetry
import Testing

@testable import ChatCore

/// A room with senders on several instances, which one of them numbers: `RoomCommitter` and `RoomTicket` at work.
@Suite struct SequencingTests {
    private static func fleet(_ count: Int) -> ChatSetup {
        var setup = ChatSetup()
        setup.instances = count
        setup.isStarted = true
        return setup
    }

    /// A client on every instance, all in the lobby, each instance knowing the others.
    private func clients(_ chat: ChatUnderTest) async -> [TestClient] {
        await chat.advance(by: .seconds(1))
        var clients: [TestClient] = []
        for index in chat.instances.indices { clients.append(await chat.client("u\(index)", in: "lobby", on: index)) }
        await chat.advance(by: .seconds(1))
        for client in clients { client.channel.forget() }
        return clients
    }

    private func forwards(_ chat: ChatUnderTest) -> Int {
        chat.directory.sent.count { if case .forward? = $0.message { true } else { false } }
    }

    private func owner(_ chat: ChatUnderTest) -> Int {
        let owner = RoomOwnership(chat.instances.map(\.id)).owner(of: room("lobby"))
        return chat.instances.firstIndex { $0.id == owner } ?? 0
    }

    @Test func oneInstanceNumbersForAll() async throws {
        try await ChatUnderTest.serve(Self.fleet(3)) { chat in
            let clients = await clients(chat)
            let before = forwards(chat)
            for round in 0..<10 {
                for (index, client) in clients.enumerated() {
                    client.send(
                        "send_message", #"{"roomId":"lobby","message":"\#(index)-\#(round)"}"#, id: Int64(round))
                }
                await chat.runUntilQuiet()
            }
            for client in clients {
                let numbers = (0..<10).compactMap { client.answer(Int64($0))?.seq }
                #expect(numbers.count == 10 && numbers == numbers.sorted())
            }
            let stored = try await chat.store.messages(in: "lobby")
            #expect(stored.count == 30)
            for client in clients { #expect(client.messages == stored) }
            // Two instances forward, one commits.
            #expect(forwards(chat) - before == 20)
        }
    }

    @Test func anOwnerThatDoesNotAnswerCostsAMomentAndNoMessage() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            let clients = await clients(chat)
            let sender = clients[1 - owner(chat)]
            chat.directory.lose(true)
            sender.send("send_message", #"{"roomId":"lobby","message":"first"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(sender.answer(1) == nil)
            await chat.advance(by: .seconds(1))
            #expect(sender.answer(1)?.success == true)
            // The silent instance is passed over for a while.
            sender.send("send_message", #"{"roomId":"lobby","message":"second"}"#, id: 2)
            await chat.runUntilQuiet()
            #expect(sender.answer(2)?.seq == 2)
            chat.directory.lose(false)
            await chat.advance(by: .seconds(6))
            let before = forwards(chat)
            sender.send("send_message", #"{"roomId":"lobby","message":"third"}"#, id: 3)
            await chat.runUntilQuiet()
            #expect(sender.answer(3)?.seq == 3 && forwards(chat) == before + 1)
            let stored = try await chat.store.messages(in: "lobby")
            #expect(stored == ["first", "second", "third"])
        }
    }

    @Test func aSlowStoreIsWaitedForOnce() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            let clients = await clients(chat)
            let sender = clients[1 - owner(chat)]
            let before = forwards(chat)
            chat.store.setCommits(.holds)
            sender.send("send_message", #"{"roomId":"lobby","message":"slow"}"#, id: 1)
            await chat.advance(by: .seconds(4))
            #expect(chat.store.heldCommits == 1 && forwards(chat) == before + 1)
            chat.store.setCommits(.works)
            chat.store.release()
            await chat.runUntilQuiet()
            #expect(sender.answer(1)?.seq == 1)
        }
    }

    @Test func anOwnerThatLeavesIsReplaced() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            let clients = await clients(chat)
            let gone = owner(chat)
            await chat.instances[gone].services.presence.close()
            await chat.advance(by: .seconds(2))
            let before = forwards(chat)
            clients[1 - gone].send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
            await chat.runUntilQuiet()
            #expect(clients[1 - gone].answer(1)?.success == true)
            #expect(forwards(chat) == before)
        }
    }

    @Test func withoutContactEveryInstanceNumbersForItself() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            let clients = await clients(chat)
            chat.directory.setReachable(false)
            await chat.advance(by: .seconds(2))
            let before = forwards(chat)
            for (index, client) in clients.enumerated() {
                client.send("send_message", #"{"roomId":"lobby","message":"\#(index)"}"#, id: 1)
                await chat.runUntilQuiet()
                #expect(client.answer(1)?.success == true)
            }
            #expect(forwards(chat) == before)
            let stored = try await chat.store.messages(in: "lobby")
            #expect(stored.count == 2)
        }
    }

    @Test func aStoreThatFailsRefusesOnEveryInstance() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            let clients = await clients(chat)
            chat.store.setCommits(.fails)
            for client in clients { client.send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1) }
            await chat.runUntilQuiet()
            for client in clients { #expect(client.answer(1)?.code == "storage_unavailable") }
            chat.store.setCommits(.works)
            await chat.advance(by: .seconds(2))
            for client in clients { client.send("send_message", #"{"roomId":"lobby","message":"y"}"#, id: 2) }
            await chat.advance(by: .seconds(2))
            for client in clients { #expect(client.answer(2)?.success == true) }
            let stored = try await chat.store.messages(in: "lobby")
            #expect(stored == ["y", "y"])
        }
    }

    /// Without Redis, instances that share the store number for themselves.
    @Test func lostRacesAreRepeatedAndNotRefused() async throws {
        for count in [1, 2] {
            try await ChatUnderTest.serve(Self.fleet(count)) { chat in
                let clients = await clients(chat)
                chat.store.setCommits(.losesRaces(50))
                clients[0].send("send_message", #"{"roomId":"lobby","message":"x"}"#, id: 1)
                await chat.runUntilQuiet()
                #expect(clients[0].answer(1)?.seq == 1)
            }
        }
    }

    @Test func ofMoreTracesThanAreKeptTheOldestAreForgotten() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            let sender = 1 - owner(chat)
            chat.directory.lose(true)
            let committer = RoomCommitter(context: chat.instances[sender].shards[0].context) { _ in }
            committer.setInstances(Set(chat.instances.map(\.id)))
            let ids = (0...4096).map { MessageID(high: 9, low: $0) }
            for id in ids { committer.noteTrace(parent: "trace of \(id)", of: id) }
            let drafts = [ids[0], ids[1], ids[4096]].map { id in
                MessageDraft(
                    id: id, body: MessageBody(author: user("ann"), username: "ann", text: "x"), timestamp: stamp(0))
            }
            committer.submit([RoomWrite(roomID: room("lobby"), lastKnown: 0, messages: drafts)])
            committer.flush()
            let forwarded = chat.directory.sent.compactMap { sent -> [UInt8]? in
                if case .forward(_, let write)? = sent.message { write } else { nil }
            }
            let traces = try forwarded.first.map { try JSONValue(parsing: $0) }?["traces"]?.array
            #expect(traces == [.null, .string("trace of \(ids[1])"), .string("trace of \(ids[4096])")])
        }
    }

    @Test func foreignForwardsAreCountedAndDropped() async throws {
        try await ChatUnderTest.serve(Self.fleet(2)) { chat in
            _ = await clients(chat)
            let metrics = chat.services.metrics.foreignNews
            let before = metrics.value
            let ticket = RoomTicket(room: room("lobby"), number: 1, sender: InstanceID("x"), shard: 0)
            for message in [
                InstanceMessage.forward(ticket, write: Array("{".utf8)),
                .forward(ticket, write: Array(#"{"lastSeq":-9}"#.utf8)), .outcome(ticket, outcome: Array("[]".utf8)),
            ] {
                chat.directory.emit(.received(payload: message.encoded), to: chat.instances[0].id)
            }
            await chat.runUntilQuiet()
            #expect(metrics.value == before + 3)
        }
    }
}
