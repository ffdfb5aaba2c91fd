import Synchronization
import Workers

/// Sends requests to other servers, on a thread of its own. Any thread may use it.
///
/// Connections are kept, and shared by the requests to one host. Proxies that the environment names are not used. A certificate
/// must be valid for the host's name.
public final class HTTPClient: Sendable {
    public struct Settings: Sendable {
        /// The name of the thread, at most 15 bytes.
        public var name: String
        /// A file of certificates (PEM) that are trusted instead of the system's; nil: the system's.
        public var certificateAuthorities: String?
        /// Requests under way at once; further ones are refused.
        public var maximumRequests = 1024
        /// Connections at once, idle ones included. Further requests wait for one.
        public var maximumConnections = 32
        public var maximumConnectionsPerHost = 8

        public init(name: String, certificateAuthorities: String? = nil) {
            self.name = name
            self.certificateAuthorities = certificateAuthorities
        }
    }

    private let inbox = TransferInbox()
    private let underWay = Atomic<Int>(0)
    private let maximumRequests: Int
    private let thread: WorkerThread

    /// - Throws: when the system gives no thread.
    public init(_ settings: Settings) throws(WorkerThread.NotStarted) {
        maximumRequests = settings.maximumRequests
        thread = try WorkerThread(name: settings.name) { [inbox] in TransferLoop(settings, inbox).run() }
    }

    /// Returns the answer, or throws the reason why there is none, by the request's deadline. A cancelled task waits as long.
    public func send(_ request: HTTPClientRequest) async throws(HTTPClientError) -> HTTPClientResponse {
        let isWithinLimit = underWay.add(1, ordering: .relaxed).newValue <= maximumRequests
        defer { underWay.subtract(1, ordering: .relaxed) }
        guard isWithinLimit else { throw .overloaded }
        let deadline = ContinuousClock.now + request.deadline
        let result = await withCheckedContinuation { continuation in
            let submission = TransferInbox.Submission(request: request, deadline: deadline) {
                continuation.resume(returning: $0)
            }
            if !inbox.post(submission) { continuation.resume(returning: .failure(.closed)) }
        }
        return try result.get()
    }

    /// Ends all requests under way with `closed`, and the thread.
    public func close() async {
        inbox.close()
        await thread.finished()
    }

    deinit { inbox.close() }
}
