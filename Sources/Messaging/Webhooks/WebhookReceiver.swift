import ChatDomain
import Crypto
import HTTPClient
import Synchronization
import Telemetry

/// One receiver: its address, and whether it takes requests now.
final class WebhookReceiver: Sendable {
    private struct State {
        var isDisabled = false
        var pausedUntil: Timestamp?
        /// Why the last attempt failed; nil when it did not.
        var failure: String?
    }

    /// Bytes of an answer's body that are read and passed over.
    private static let maximumAnswerBytes = 64 * 1024

    let url: String
    /// Its name in the store, which follows from the URL and tells nothing of it.
    let id: String
    /// Its name for operators: its place in the configuration, from 1 on, and its host.
    let name: String
    /// Its place in the configuration, from 1 on.
    let number: Int
    private let signer: WebhookSigner
    private let timeLimit: Duration
    private let send: @Sendable (HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse
    private let state = Mutex(State())

    /// - Parameters:
    ///   - number: its place in the configuration, from 1 on.
    ///   - timeLimit: the time that one request may take.
    init(
        url: String, number: Int, signer: WebhookSigner, timeLimit: Duration,
        send: @escaping @Sendable (HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse
    ) {
        self.url = url
        id = Self.id(of: url)
        self.number = number
        name = "\(number) (\(Origin(of: url)?.host ?? ""))"
        self.signer = signer
        self.timeLimit = timeLimit
        self.send = send
    }

    /// The first 64 bits of the URL's SHA-256, in hex digits.
    static func id(of url: String) -> String {
        Digest.sha256(url.utf8).prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    // MARK: State

    var isDisabled: Bool { state.withLock { $0.isDisabled } }

    /// Why it takes no events at the moment; nil while it does.
    var trouble: String? {
        state.withLock { $0.isDisabled ? "it answered 410 and is disabled until a reload" : $0.failure }
    }

    /// Until when it is asked for nothing; nil when it may be asked now.
    func pause(at now: Timestamp) -> Timestamp? {
        state.withLock { state in state.pausedUntil.flatMap { $0 > now ? $0 : nil } }
    }

    func pause(until time: Timestamp) { state.withLock { $0.pausedUntil = time } }
    func disable() { state.withLock { $0.isDisabled = true } }

    /// Whether it was disabled.
    func enable() -> Bool {
        state.withLock { state in
            defer { state = State() }
            return state.isDisabled
        }
    }

    func noteFailure(_ reason: String?) { state.withLock { $0.failure = reason } }

    // MARK: Requests

    /// Sends an event once. Redirects are not followed.
    ///
    /// - Parameters:
    ///   - now: goes into the signature.
    ///   - traceparent: the trace that the event belongs to; nil for none.
    /// - Returns: nil when the client was closed, so that nothing is known of the receiver.
    func attempt(id: String, body: [UInt8], at now: Timestamp, traceparent: String? = nil) async -> AttemptOutcome? {
        var fields =
            [("content-type", "application/json"), ("user-agent", "chat-service")]
            + signer.fields(id: id, timestamp: now.milliseconds / 1000, body: body)
        if let traceparent { fields.append(("traceparent", traceparent)) }
        let request = HTTPClientRequest(
            .post, url, fields: fields, body: body, deadline: timeLimit, maximumBytes: Self.maximumAnswerBytes)
        do throws(HTTPClientError) {
            let answer = try await send(request)
            return .answered(status: answer.status, retryAfter: answer[field: "retry-after"])
        } catch .closed {
            return nil
        } catch {
            return .failed(error.description)
        }
    }
}
