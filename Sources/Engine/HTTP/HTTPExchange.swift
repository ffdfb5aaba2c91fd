import Telemetry
import WireProtocols

/// The HTTP side of a connection: one request at a time, answers in order, time limits.
final class HTTPExchange {
    private var decoder: HTTPRequestDecoder
    private var head: HTTPRequestHead?
    private let configuration: EngineConfiguration
    private(set) var isAnswering = false
    private var isFresh = true
    /// Whether the time for a head is running: from the connection's beginning, or from the first byte of a later request.
    private var isTimingHead = true
    /// No request follows the present one.
    var isLast = false

    init(_ configuration: EngineConfiguration) {
        self.configuration = configuration
        decoder = HTTPRequestDecoder(.init(bodyBytes: configuration.maximumBodyBytes))
    }

    /// Reads one step; false when there is nothing to read for now.
    func step(_ connection: Connection, _ context: EngineContext) -> Bool {
        guard !isAnswering else { return false }
        connection.isHeldUp = connection.owesReading
        guard !connection.isHeldUp else { return false }
        switch decoder.next(&context.input) {
        case .needMore:
            timeHead(connection, context)
            return false
        case .head(let head):
            self.head = head
            connection.setTimer(after: configuration.bodyMilliseconds)
            if head.expectsContinue, head.framing != .none { connection.send(HTTPResponseEncoder.continueResponse) }
            return true
        case .end(let body):
            guard let head else { return false }
            isAnswering = true
            isFresh = false
            isLast = isLast || !head.keepsAlive
            // An answer may take as long as its handler wants: a long poll is one.
            connection.cancelTimer()
            let request = HTTPRequest(
                head: head, body: body, peer: connection.peer, isSecure: connection.isSecure)
            connection.deliver(request)
            return true
        case .failure(let refusal):
            refuse(connection, refusal)
            return false
        }
    }

    private func refuse(_ connection: Connection, _ refusal: HTTPRefusal) {
        var refusal = refusal
        if let head {
            refusal.origin = head.headers["Origin"]
            refusal.host = head.headers["Host"]
        }
        connection.refuse(refusal)
    }

    func respond(_ connection: Connection, _ response: HTTPResponse, date: String) {
        guard isAnswering else { return }
        isAnswering = false
        let bytes = HTTPResponseEncoder.encode(
            response, date: date, keepsAlive: !isLast, isHead: head?.method == "HEAD")
        head = nil
        connection.send(bytes)
        if isLast {
            connection.finishWriting()
        } else {
            isTimingHead = false
            connection.setTimer(after: configuration.keepAliveMilliseconds)
            connection.readOn()
        }
    }

    private func timeHead(_ connection: Connection, _ context: EngineContext) {
        guard !isTimingHead, decoder.isMidRequest(context.input) else { return }
        isTimingHead = true
        connection.setTimer(after: configuration.headMilliseconds)
    }

    /// The request that is being answered becomes another protocol.
    func release() { isAnswering = false }

    func timedOut(_ connection: Connection) {
        // A kept-alive connection that simply has nothing to say is closed without a word.
        let isMidRequest = head != nil || connection.hasUnread || isFresh
        guard isMidRequest else { return connection.finishWriting() }
        refuse(connection, HTTPRefusal(status: 408, detail: "the request did not arrive in time"))
    }
}

extension Connection {
    /// Answers the request at hand.
    public func respond(_ response: HTTPResponse) {
        guard case .http(let exchange) = phase else { return }
        exchange.respond(self, response, date: context.httpDate())
    }

    func deliver(_ request: HTTPRequest) { context.handler?.received(request, on: self) }

    /// Ends a connection that is one too many; where TLS comes first there is nobody to tell yet.
    func rejectOverCapacity() {
        guard case .http = phase else { return abort() }
        refuse(.tooManyConnections)
    }

    /// Answers a request that could not be understood, and ends the connection.
    func refuse(_ refusal: HTTPRefusal) {
        context.metrics.protocolErrors.add()
        let response = context.problem(refusal)
        send(HTTPResponseEncoder.encode(response, date: context.httpDate(), keepsAlive: false))
        finishWriting()
    }
}

extension HTTPRefusal {
    static let tooManyConnections = Self(
        status: 503, detail: "too many connections", fields: [HTTPField("Retry-After", "1")])
}
