import ChatDomain
import Testing

/// What is owed to webhook receivers: marks on entries, deliveries, dead letters.
@Suite struct WebhookStoreTests {
    private let drafts = Drafts()
    private static let one = InstanceID("one")
    private static let two = InstanceID("two")

    private func delivery(
        _ event: String, to receiver: String = "r", due: Int64? = 1000, _ content: WebhookDelivery.Content? = nil
    ) -> WebhookDelivery {
        WebhookDelivery(
            .init(event: event, receiver: receiver), type: "t", content: content ?? .body("{}", about: nil),
            createdAt: .at(900), dueAt: due.map { .at($0) }, failure: due == nil ? "because" : nil)
    }

    private func due(_ store: any DurableStore, to receiver: String = "r", at time: Int64 = 5000) async throws
        -> [String]
    {
        try await store.dueDeliveries(of: Self.one, to: receiver, at: .at(time), limit: 10).map(\.delivery.id.event)
    }

    @Test(arguments: StoreKind.allCases)
    func theBrokerAndWebhooksAreOwedEachMessageApart(_ kind: StoreKind) async throws {
        let options = StoreOptions(outboxOwner: Self.one, publishesChanges: false, webhookOwner: Self.one)
        try await withStore(kind, options) { store async throws in
            let sent = drafts.many(2)
            await store.append(sent, to: "a")
            for destination in EventDestination.allCases {
                let pending = try await store.pendingEvents(of: Self.one, to: destination, limit: 10, except: [])
                #expect(pending.map(\.id) == sent.map(\.id))
            }
            try await store.clearEvents([sent[0].id], to: .webhooks)
            #expect(try await store.backlog(to: .webhooks).count == 1)
            #expect(try await store.backlog(to: .broker).count == 2)
            #expect(try await store.adoptEvents(of: Self.one, to: .webhooks, by: Self.two) == 1)
            #expect(try await store.eventOwners(to: .webhooks) == [Self.two])
            #expect(try await store.eventOwners(to: .broker) == [Self.one])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func webhooksAreOwedEveryChange(_ kind: StoreKind) async throws {
        try await withStore(kind, StoreOptions(webhookOwner: Self.one)) { store async throws in
            let message = drafts.next("secret")
            await store.append([message], to: "a")
            let user = RoomUser(userID: "ann", username: "Ann")
            for (number, request) in [ChangeRequest.pin(true), .delete].enumerated() {
                let draft = ChangeDraft(
                    id: MessageID(high: 7, low: UInt32(number)), messageID: message.id, user: user, request: request,
                    authority: .anyMessage, timestamp: message.timestamp)
                _ = await store.commit([RoomWrite(roomID: "a", lastKnown: 0, drafts: [.change(draft)])])
            }
            let pending = try await store.pendingEvents(of: Self.one, to: .webhooks, limit: 10, except: [])
            #expect(pending.map(\.sequence) == [3], "of a deleted message the deletion alone is owed")
            #expect(try await store.backlog(to: .broker).count == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func deliveriesAreDueInOrderAndEndOnce(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let all = [delivery("late", due: 3000), delivery("early", due: 2000), delivery("other", to: "s")]
            try await store.addDeliveries(all, owner: Self.one)
            try await store.addDeliveries([delivery("early", due: 9000)], owner: Self.two)
            #expect(try await due(store) == ["early", "late"], "a repeat changes nothing")
            #expect(try await due(store, at: 2500) == ["early"])
            #expect(try await due(store, to: "s") == ["other"])
            #expect(try await store.dueDeliveries(of: Self.two, to: "r", at: .at(9999), limit: 10).isEmpty)
            #expect(try await store.deliveryOwners() == [Self.one])
            try await store.record([
                WebhookResult(all[0].id, .done), WebhookResult(all[1].id, .retry(at: .at(7000), failure: "500")),
                WebhookResult(.init(event: "none", receiver: "r"), .retry(at: .at(1), failure: "x")),
            ])
            #expect(try await due(store).isEmpty)
            let again = try await store.dueDeliveries(of: Self.one, to: "r", at: .at(7000), limit: 10)
            #expect(again.map(\.delivery.attempts) == [1] && again.first?.delivery.failure == "500")
            #expect(
                try await store.deliveryCounts() == ["r": WebhookCounts(waiting: 1), "s": WebhookCounts(waiting: 1)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aDeliveryOfAnEntryShowsTheEntryAsItIsNow(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let message = drafts.next("hello")
            await store.append([message], to: "a")
            let owed = [delivery("m", .entry("a", 1)), delivery("gone", .entry("a", 7))]
            try await store.addDeliveries(owed, owner: Self.one)
            let due = try await store.dueDeliveries(of: Self.one, to: "r", at: .at(5000), limit: 10)
            let entries = Dictionary(due.map { ($0.delivery.id.event, $0.entry) }) { first, _ in first }
            #expect(entries["m"]??.message?.body.text == "hello" && entries["gone"] == .some(nil))
            #expect(due.first { $0.delivery.id.event == "m" }?.delivery == owed[0])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func deadLettersAreListedReplayedAndBounded(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let waiting = delivery("w")
            try await store.addDeliveries([waiting, delivery("b", due: nil), delivery("c", due: nil)], owner: Self.two)
            try await store.record([WebhookResult(waiting.id, .dead(at: .at(5000), failure: "no"))])
            let letters = try await store.deadLetters(after: nil, limit: 2)
            #expect(letters.map(\.id.event) == ["b", "c"] && letters.first?.failure == "because")
            let rest = try await store.deadLetters(after: letters.last?.id, limit: 2)
            #expect(rest.map(\.id.event) == ["w"] && rest.first?.attempts == 1 && rest.first?.dueAt == nil)
            #expect(try await store.deliveryCounts() == ["r": WebhookCounts(dead: 3)])
            #expect(try await store.adoptDeliveries(of: Self.two, by: Self.one) == 0, "dead letters have no owner")
            #expect(try await store.replayDeadLetters("none", by: Self.one, at: .at(6000)) == 0)
            #expect(try await store.replayDeadLetters("w", by: Self.one, at: .at(6000)) == 1)
            let due = try await store.dueDeliveries(of: Self.one, to: "r", at: .at(6000), limit: 10)
            #expect(due.map(\.delivery.attempts) == [0] && due.first?.delivery.failure == nil)
            #expect(try await store.trimDeadLetters(to: 2) == 0)
            #expect(try await store.trimDeadLetters(to: 1) == 1)
            #expect(try await store.replayDeadLetters(nil, by: Self.one, at: .at(6000)) == 1)
            #expect(try await store.deliveryCounts() == ["r": WebhookCounts(waiting: 2)])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func deliveriesAreTakenOverAndGivenUp(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let owed = [delivery("a", to: "r"), delivery("b", to: "s")]
            try await store.addDeliveries(owed, owner: Self.two)
            #expect(try await store.adoptDeliveries(of: Self.two, by: Self.one) == 2)
            #expect(try await store.deliveryOwners() == [Self.one])
            #expect(
                try await store.abandonDeliveries(of: Self.one, notTo: ["r"], at: .at(5000), failure: "gone") == 1)
            #expect(try await due(store) == ["a"])
            #expect(try await due(store, to: "s").isEmpty)
            #expect(try await store.deadLetters(after: nil, limit: 10).map(\.failure) == ["gone"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func anErasedUserIsInNoDelivery(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let owed = [
                delivery("a", .body("{}", about: "ann")), delivery("b", due: nil, .body("{}", about: "ann")),
                delivery("c", .body("{}", about: "bob")),
            ]
            try await store.addDeliveries(owed, owner: Self.one)
            try await store.eraseModeration(of: "ann")
            #expect(try await due(store) == ["c"])
            #expect(try await store.deadLetters(after: nil, limit: 10).isEmpty)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aMessageIsFoundByItsClientID(_ kind: StoreKind) async throws {
        try await withStore(kind) { store async throws in
            let sent = drafts.next("hello", client: "c1")
            await store.append([sent], to: "a")
            func find(_ client: String, _ user: UserID, _ room: RoomID, above base: SequenceNumber = 0) async throws
                -> MessageID?
            { try await store.message(sentAs: client, by: user, in: room, above: base)?.id }
            #expect(try await find("c1", "ann", "a") == sent.id)
            #expect(try await find("c2", "ann", "a") == nil)
            #expect(try await find("c1", "bob", "a") == nil)
            #expect(try await find("c1", "ann", "b") == nil)
            #expect(try await find("c1", "ann", "a", above: 1) == nil)
        }
    }
}
