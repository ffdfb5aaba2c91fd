import ChatDomain
import JSON
import Telemetry
import TestSupport
import Testing

@testable import MessagingWebhooks

/// Presence goes out once, from memory.
@Suite struct PresenceWebhookTests {
    private static let url = "http://first.test/"

    private func presence(_ user: String, _ status: PresenceStatus) -> UserPresence {
        UserPresence(
            user: RoomUser(userID: UserID(unchecked: user), username: user), actualStatus: status,
            lastSeen: Timestamp(milliseconds: 0), sessions: status.isOnline ? 1 : 0)
    }

    private func serve(
        _ webhooks: WebhooksUnderTest, _ body: (PresenceWebhook) async throws -> Void
    ) async throws {
        let counter = MetricsRegistry().counter("dropped_total", help: "")
        let presence = PresenceWebhook(
            beside: webhooks.senders[0], schedule: RetrySchedule(), dropped: counter, clock: { webhooks.now })
        try await body(presence)
        presence.stop()
    }

    private func users(_ webhooks: WebhooksUnderTest) -> [[String]] {
        webhooks.receivers.requests(to: Self.url).map { request in
            (request.body["data"]?["users"]?.array ?? []).map {
                "\($0["userId"]?.string ?? "") \($0["status"]?.string ?? "")"
            }
        }
    }

    @Test func manyUsersShareARequestAndShowTheirNewestState() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.url])
        try await serve(webhooks) { sender in
            sender.add(presence("ann", .online))
            sender.add(presence("bob", .online))
            sender.add(presence("ann", .offline))
            let task = Task { await sender.run() }
            #expect(await eventually { !users(webhooks).isEmpty })
            #expect(users(webhooks) == [["ann offline", "bob online"]])
            sender.stop()
            await task.value
        }
    }

    @Test func aFailedAttemptIsTheOnlyOneAndGoneDisables() async throws {
        let webhooks = try WebhooksUnderTest(urls: [Self.url])
        webhooks.receivers.answer(500, at: Self.url)
        try await serve(webhooks) { sender in
            let task = Task { await sender.run() }
            sender.add(presence("ann", .online))
            #expect(await eventually { users(webhooks).count == 1 })
            webhooks.receivers.answer(410, at: Self.url)
            sender.add(presence("bob", .online))
            #expect(await eventually { webhooks.senders[0].receiver.isDisabled })
            sender.add(presence("cid", .online))
            #expect(users(webhooks) == [["ann online"], ["bob online"]])
            sender.stop()
            await task.value
        }
    }
}
