import ChatDomain
import ChatTestSupport
import JSON
import Testing

@testable import MessagingWebhooks

/// From a stored message to its receivers, over the embedded store and on manual time.
@Suite struct WebhookDeliveryTests {
    private static let (first, second) = ("http://first.test/", "http://second.test/")

    private func texts(_ webhooks: WebhooksUnderTest, _ url: String) -> [String] {
        webhooks.receivers.requests(to: url).compactMap { $0.body["data"]?["message"]?.string }
    }

    @Test func eachReceiverGetsEachMessageOnce() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first, Self.second])
        let id = await webhooks.send("hello")
        try await webhooks.deliver()
        try await webhooks.deliver()
        for url in [Self.first, Self.second] {
            let requests = webhooks.receivers.requests(to: url)
            #expect(requests.map(\.id) == [id.description])
            #expect(requests.first?.body["type"]?.string == "message.sent")
            #expect(requests.first?.body["timestamp"]?.string == webhooks.now.iso8601)
            let data = requests.first?.body["data"]
            #expect(data?["message"]?.string == "hello" && data?["seq"]?.integer == 1)
            #expect(data?["roomId"]?.string == "lobby" && data?["userId"]?.string == "ann")
        }
        #expect(try await webhooks.store.deliveryCounts().isEmpty)
        #expect(try await webhooks.store.backlog(to: .webhooks).count == 0)
    }

    @Test func aReceiverThatFailsIsAskedAgainUnderTheSameIDAndDelaysNoOther() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first, Self.second])
        webhooks.receivers.answer(500, at: Self.first)
        await webhooks.send("one")
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one"] && texts(webhooks, Self.second) == ["one"])
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one"], "the next attempt is not due")
        await webhooks.send("two")
        webhooks.receivers.answer(200, at: Self.first)
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one", "two"] && texts(webhooks, Self.second) == ["one", "two"])
        webhooks.advance(by: .seconds(6))
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one", "two", "one"])
        let ids = webhooks.receivers.requests(to: Self.first).map(\.id)
        #expect(ids[0] == ids[2] && ids[0] != ids[1])
    }

    @Test func theLastAttemptMakesADeadLetterThatCanBeReplayed() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first])
        webhooks.receivers.answer(500, at: Self.first)
        let id = await webhooks.send("one")
        for _ in 0..<5 {
            try await webhooks.deliver()
            webhooks.advance(by: .seconds(120))
        }
        #expect(texts(webhooks, Self.first).count == WebhooksUnderTest.delays.count + 1)
        let letters = try await webhooks.store.deadLetters(after: nil, limit: 10)
        #expect(letters.map(\.id.event) == [id.description] && letters.first?.attempts == 3)
        #expect(letters.first?.failure == "the receiver answered 500")
        webhooks.receivers.answer(200, at: Self.first)
        let owner = WebhooksUnderTest.instance
        #expect(try await webhooks.store.replayDeadLetters(id.description, by: owner, at: webhooks.now) == 1)
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first).count == WebhooksUnderTest.delays.count + 2)
        #expect(try await webhooks.store.deliveryCounts().isEmpty)
    }

    @Test func aReceiverThatIsGoneGetsNothingUntilItIsEnabled() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first, Self.second])
        webhooks.receivers.answer(410, at: Self.first)
        await webhooks.send("one")
        try await webhooks.deliver()
        await webhooks.send("two")
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one"] && texts(webhooks, Self.second) == ["one", "two"])
        #expect(webhooks.senders[0].receiver.trouble != nil && webhooks.senders[1].receiver.trouble == nil)
        webhooks.receivers.answer(200, at: Self.first)
        for sender in webhooks.senders { sender.enable() }
        await webhooks.send("three")
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one", "three"])
        #expect(try await webhooks.store.deadLetters(after: nil, limit: 10).count == 1)
    }

    @Test func aReceiverThatAsksForAPauseIsLeftAlone() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first])
        webhooks.receivers.answer(429, [("retry-after", "30")], at: Self.first)
        await webhooks.send("one")
        try await webhooks.deliver()
        webhooks.receivers.answer(200, at: Self.first)
        await webhooks.send("two")
        webhooks.advance(by: .seconds(29))
        try await webhooks.deliver()
        #expect(texts(webhooks, Self.first) == ["one"])
        webhooks.advance(by: .seconds(2))
        try await webhooks.deliver()
        #expect(Set(texts(webhooks, Self.first)) == ["one", "two"] && texts(webhooks, Self.first).count == 3)
    }

    @Test func aDeletedMessageIsNotSentAnyMore() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first])
        webhooks.receivers.answer(500, at: Self.first)
        let secret = await webhooks.send("secret")
        try await webhooks.deliver()
        let now = webhooks.now
        await webhooks.store { id in
            .change(
                ChangeDraft(
                    id: id, messageID: secret, user: .ann, request: .delete, authority: .anyMessage, timestamp: now))
        }
        webhooks.receivers.answer(200, at: Self.first)
        webhooks.advance(by: .seconds(10))
        try await webhooks.deliver()
        let requests = webhooks.receivers.requests(to: Self.first)
        #expect(requests.map { $0.body["type"]?.string } == ["message.sent", "message.deleted"])
        #expect(try await webhooks.store.deliveryCounts().isEmpty)
    }

    @Test func onlyTheChosenKindsAreSent() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first], kinds: [.rooms])
        await webhooks.send("one")
        let room = RoomID(unchecked: "lobby")
        webhooks.fanOut.add(.joined(room, UserID(unchecked: "bob")))
        webhooks.fanOut.add(.changed(room, .revised(RoomRevision(name: "Lobby"), at: webhooks.now)))
        webhooks.fanOut.add(.changed(room, .unspecified))
        webhooks.fanOut.add(.changed(room, .standing(.blocked(UserID(unchecked: "bob")))))
        try await webhooks.deliver()
        let requests = webhooks.receivers.requests(to: Self.first)
        #expect(requests.map { $0.body["type"]?.string } == ["room.changed"])
        #expect(requests.first?.body["data"]?["name"]?.string == "Lobby")
        #expect(try await webhooks.store.backlog(to: .webhooks).count == 0)
    }

    @Test func whatIsOwedToAReceiverThatIsNotConfiguredBecomesADeadLetter() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.first])
        let delivery = WebhookDelivery(
            .init(event: "e", receiver: "other"), type: "room.created", content: .body("{}", about: nil),
            createdAt: webhooks.now, dueAt: webhooks.now)
        try await webhooks.store.addDeliveries([delivery], owner: InstanceID("dead"))
        await webhooks.maintenance.performRound()
        #expect(try await webhooks.store.deadLetters(after: nil, limit: 10).map(\.id) == [delivery.id])
        #expect(try await webhooks.store.deliveryOwners().isEmpty)
    }
}
