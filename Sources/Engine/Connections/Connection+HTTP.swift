import Telemetry
public import WireProtocols

/// Requests and answers, by the rules of `HTTPExchange`.
extension Connection {
    /// Reads one step of a request; false when there is nothing to read for now.
    func readRequest(_ exchange: HTTPExchange) -> Bool {
        let rule = { [self] head in context.handler?.bodyRule(for: head) ?? .collected }
        switch exchange.next(&context.input, heads: &context.heads, rule: rule) {
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
            context.handler?.received(HTTPRequest(head: head, body: body, isStreamed: false, peer: peer), on: self)
            return true
        case .streamedRequest(let head):
            // The peer waits, with what it has sent already, until the handler has decided.
            cancelTimer()
            pause()
            context.handler?.received(HTTPRequest(head: head, body: [], isStreamed: true, peer: peer), on: self)
            return true
        case .part(let bytes, let receiver):
            receiver.received(bytes)
            return true
        case .bodyEnd(let receiver):
            cancelTimer()
            receiver.receivedEnd()
            return true
        case .refused(let refusal):
            refuse(refusal)
            return false
        }
    }

    /// Answers the request at hand.
    public func respond(_ response: HTTPResponse) {
        guard let exchange, let parts = exchange.answer(response, date: context.httpDate()) else { return }
        send(parts.beginning)
        if !parts.body.isEmpty { send(parts.body) }
        didAnswer(exchange)
    }

    private func didAnswer(_ exchange: HTTPExchange) {
        guard !exchange.isLast else { return finishWriting() }
        setTimer(after: context.configuration.keepAliveTimeout)
        readOn()
    }

    // MARK: Streamed bodies

    /// Takes the body of the streamed request at hand, whose client may have waited for this. A client that sends less than
    /// `EngineConfiguration.minimumBodyProgress` in an interval is refused with 408.
    ///
    /// Answer without it to refuse the body: the connection then ends with the answer.
    public func receiveBody(_ receiver: any RequestBodyReceiver) {
        guard let exchange, let expectsContinue = exchange.receiveBody(receiver) else { return receiver.cutOff() }
        if expectsContinue { send(HTTPResponseEncoder.continueResponse) }
        setTimer(after: context.configuration.progressInterval)
        readOn()
    }

    /// Answers the request at hand with a body of `length` bytes, which the source gives in parts: the next when no more than
    /// `EngineConfiguration.streamedOutputWindow` bytes wait for the peer. The response's own body is ignored.
    public func respond(_ response: HTTPResponse, length: Int, from source: any ResponseBodySource) {
        guard let exchange,
            let head = exchange.beginAnswer(response, length: length, from: source, date: context.httpDate())
        else { return source.stop() }
        send(head)
        guard exchange.source != nil else {
            source.stop()
            return didAnswer(exchange)
        }
        setTimer(after: context.configuration.streamStallTimeout)
        source.produce()
    }

    /// Sends the next part of a streamed answer. A part that is empty, or longer than the rest of the body, ends the connection:
    /// the source has failed, and the peer must not take what it got for the whole.
    public func sendBody(_ part: [UInt8]) {
        guard let exchange, exchange.source != nil else { return }
        switch exchange.willSend(part.count) {
        case .broken: abort()
        case .done:
            send(part)
            didAnswer(exchange)
        case .more:
            send(part)
            whenDrained(to: context.configuration.streamedOutputWindow) { [self] in self.exchange?.source?.produce() }
        }
    }

    /// A period of a streamed body is over; whether one was streamed.
    func checkStreams(_ exchange: HTTPExchange, isPaused: Bool) -> Bool {
        if exchange.isStreaming {
            guard exchange.hasReceivedEnough(isHeldUp: isPaused) else {
                refuse(HTTPRefusal(status: 408, detail: "the body came too slowly"))
                return true
            }
            setTimer(after: context.configuration.progressInterval)
            return true
        }
        guard exchange.source != nil else { return false }
        guard exchange.isTakingBody(queuedBytes: queuedBytes) else {
            abort()
            return true
        }
        setTimer(after: context.configuration.streamStallTimeout)
        return true
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
