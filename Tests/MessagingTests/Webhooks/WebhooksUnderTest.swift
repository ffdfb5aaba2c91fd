import ChatDomain
import ChatTestSupport
import HTTPClient
import JSON
import PersistenceSQLite
import Synchronization
import Telemetry
import Testing

@testable import MessagingWebhooks

/// Receivers that answer as a test says, by the host of their URL.
final class ScriptedReceivers: Sendable {
    private struct State {
        var answers: [String: HTTPClientResponse] = [:]
        var requests: [(url: String, id: String, body: JSONValue)] = []
    }

    private let state = Mutex(State())

    /// What the receiver answers from now on; 200 where nothing is said.
    func answer(_ status: Int, _ fields: [(name: String, value: String)] = [], at url: String) {
        state.withLock { $0.answers[url] = HTTPClientResponse(status: status, fields: fields) }
    }

    func requests(to url: String) -> [(url: String, id: String, body: JSONValue)] {
        state.withLock { $0.requests.filter { $0.url == url } }
    }

    func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPClientResponse {
        let id = request.fields.first { $0.name == "webhook-id" }?.value ?? ""
        let body = (try? JSONValue(parsing: request.body)) ?? .null
        return state.withLock { state in
            state.requests.append((request.url, id, body))
            return state.answers[request.url] ?? HTTPClientResponse(status: 200)
        }
    }
}

/// A wall clock that a test moves.
private final class ManualTime: Sendable {
    private let state = Mutex(Timestamp(milliseconds: 1_700_000_000_000))

    var now: Timestamp { state.withLock { $0 } }
    func advance(by span: Duration) { state.withLock { $0 = $0 + span } }
}

/// Fan-out and senders over a real store, on manual time.
final class WebhooksUnderTest: Sendable {
    static let instance = InstanceID("one")
    static let delays: [Duration] = [.seconds(5), .seconds(60)]

    let store: any DurableStore
    let receivers: ScriptedReceivers
    let fanOut: WebhookFanOut
    let senders: [WebhookSender]
    let maintenance: WebhookMaintenance
    private let directory = TemporaryDirectory()
    private let time = ManualTime()
    private let ids = Mutex(MessageIDGenerator(seed: .random(in: .min ... .max)))

    init(urls: [String], kinds: Set<WebhookEventKind> = Set(WebhookEventKind.allCases)) throws {
        let store = try SQLiteStore(
            directory: directory.path, options: StoreOptions(webhookOwner: Self.instance), durability: .normal)
        self.store = store
        let receivers = ScriptedReceivers()
        self.receivers = receivers
        let signer = try #require(WebhookSigner(secrets: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let metrics = WebhookMetrics(MetricsRegistry(), receivers: urls.count)
        let clock: @Sendable () -> Timestamp = { [time] in time.now }
        let all = urls.enumerated().map { index, url in
            WebhookReceiver(
                url: url, number: index + 1, signer: signer, timeLimit: .seconds(1),
                send: { request async throws(HTTPClientError) in try receivers.send(request) })
        }
        senders = zip(all, metrics.receivers).map { receiver, metrics in
            WebhookSender(
                receiver, instance: Self.instance, store: store, schedule: RetrySchedule(delays: Self.delays),
                metrics: metrics, clock: clock, logger: .disabled)
        }
        fanOut = WebhookFanOut(
            instance: Self.instance, store: store, receivers: all, kinds: kinds, metrics: metrics, clock: clock,
            logger: .disabled, stored: {})
        maintenance = WebhookMaintenance(
            instance: Self.instance, store: store, receivers: all, fanOut: fanOut, isAlive: { _ in false },
            metrics: metrics, clock: clock, trouble: OccasionalLogger(.disabled), adopted: {})
    }

    var now: Timestamp { time.now }

    func advance(by span: Duration) { time.advance(by: span) }

    /// Stores what was owed as deliveries, and attempts what is due now.
    func deliver() async throws {
        while try await fanOut.storeBatch() {}
        for sender in senders { while try await sender.deliverDue() == nil {} }
    }

    /// Stores a message or a change in the room, as a client would send it.
    @discardableResult
    func store(_ make: (MessageID) -> RoomDraft) async -> MessageID {
        let id = ids.withLock { $0.next(at: now) }
        let write = RoomWrite(roomID: RoomID(unchecked: "lobby"), lastKnown: 0, drafts: [make(id)])
        await withCheckedContinuation { continuation in
            store.commit([write]) { _ in continuation.resume() }
        }
        return id
    }

    @discardableResult
    func send(_ text: String) async -> MessageID {
        let now = now
        return await store { id in
            let body = MessageBody(author: RoomUser.ann.userID, username: "Ann", text: text, kind: "text")
            return .message(MessageDraft(id: id, body: body, timestamp: now))
        }
    }
}
