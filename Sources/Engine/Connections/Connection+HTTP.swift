import Telemetry
public import WireProtocols

/// Requests and answers, by the rules of `HTTPExchange`.
extension Connection {
    /// Reads one step of a request; false when there is nothing to read for now.
    func readRequest(_ exchange: HTTPExchange) -> Bool {
        switch exchange.next(&context.input) {
        case .needMore:
            return false
        case .headBegan:
            setTimer(after: context.configuration.headTimeout)
            return false
        case .head(let expectsContinue):
            setTimer(after: context.configuration.bodyTimeout)
            if expectsContinue { send(HTTPResponseEncoder.continueResponse) }
            return true
        case .request(let head, let body):
            // An answer may take as long as its handler wants: a long poll is one.
            cancelTimer()
            context.handler?.received(HTTPRequest(head: head, body: body, peer: peer), on: self)
            return true
        case .refused(let refusal):
            refuse(refusal)
            return false
        }
    }

    /// Answers the request at hand.
    public func respond(_ response: HTTPResponse) {
        guard let exchange, let bytes = exchange.answer(response, date: context.httpDate()) else {
            return
        }
        send(bytes)
        guard !exchange.isLast else { return finishWriting() }
        setTimer(after: context.configuration.keepAliveTimeout)
        readOn()
    }

    /// Ends the connection once the answer at hand is written.
    public func closeAfterAnswer() {
        exchange?.endAfterAnswer()
    }

    /// Ends a connection above the limit; without an answer where a TLS handshake would have to come first.
    func rejectOverCapacity() {
        guard exchange != nil else { return abort() }
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
