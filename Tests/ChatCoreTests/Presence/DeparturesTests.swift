import ChatDomain
import Testing

@testable import ChatCore

/// Sessions whose connections broke at about the same time, on manual time.
@Suite struct DeparturesTests {
    private func isOnline(_ name: String, _ chat: ChatUnderTest) -> Bool { !chat.directory.records(of: name).isEmpty }

    @Test func thoseOfAShortWhileAreToldOfTogether() async throws {
        try await ChatUnderTest.serve { chat in
            let clients = [await chat.client("ann"), await chat.client("bob"), await chat.client("cleo")]
            clients[0].hangUp()
            #expect(chat.directory.sessions(of: "ann").isEmpty, "here it is known at once")
            await chat.advance(by: Departures.gatheringInterval / 2)
            clients[1].hangUp()
            #expect(chat.directory.timesSent == 0)
            await chat.advance(by: Departures.gatheringInterval / 2)
            #expect(chat.directory.timesSent == 1)
            clients[2].hangUp()
            await chat.advance(by: .seconds(5))
            #expect(chat.directory.timesSent == 2)
            #expect(!isOnline("ann", chat) && !isOnline("bob", chat) && isOnline("cleo", chat))
            await chat.advance(by: Departures.gatheringInterval)
            #expect(!isOnline("cleo", chat))
            #expect(chat.loop.pendingTimers == 0)
        }
    }

    @Test func oneThatComesBackStaysWhileTheOthersGo() async throws {
        try await ChatUnderTest.serve { chat in
            let (ann, bob) = (await chat.client("ann"), await chat.client("bob"))
            ann.hangUp()
            bob.hangUp()
            _ = await chat.client("ann", id: ann.session.id)
            #expect(chat.directory.sessions(of: "ann").count == 1)
            await chat.advance(by: .seconds(6))
            #expect(isOnline("ann", chat) && !isOnline("bob", chat))
        }
    }
}
