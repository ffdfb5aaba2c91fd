import WireProtocols

/// The HTTP side of a connection: one request at a time, answers in order. Does no I/O and sets no timer; each method returns
/// what the connection has to do.
final class HTTPExchange {
    enum Step {
        /// More bytes are needed.
        case needMore
        /// The first bytes of a request came, and its head has to be complete in time.
        case headBegan
        /// A head came, and its body has to be complete in time.
        case head(expectsContinue: Bool)
        /// A request is complete; no further one is read until it is answered.
        case request(HTTPRequestHead, body: [UInt8])
        /// A request began whose body is streamed. No byte of the body is read before the handler takes it.
        case streamedRequest(HTTPRequestHead)
        /// The next bytes of a streamed body.
        case part([UInt8], any RequestBodyReceiver)
        /// A streamed body is complete.
        case bodyEnd(any RequestBodyReceiver)
        /// The request is not understood; the connection ends with this answer.
        case refused(HTTPRefusal)
    }

    private var decoder: HTTPRequestDecoder
    private var head: HTTPRequestHead?
    /// Whether a request is with the handler.
    private(set) var isAnswering = false
    /// Whether the present answer is the connection's last.
    private(set) var isLast = false
    /// Whether no request came yet.
    private var isFresh = true
    /// Whether the time for a head is running: from the connection's beginning, or from the first byte of a later request.
    private var isTimingHead = true
    /// Whether a streamed body has not come to its end.
    private(set) var isStreaming = false
    private var receiver: (any RequestBodyReceiver)?
    private var progress: IncomingProgress
    private var outgoing: OutgoingBody?

    /// - Parameter minimumProgress: bytes of a streamed body that have to come in each interval.
    init(maximumBodyBytes: Int, minimumProgress: Int = 0) {
        decoder = HTTPRequestDecoder(.init(bodyBytes: maximumBodyBytes))
        progress = IncomingProgress(minimumBytes: minimumProgress)
    }

    /// Whether a request, or bytes of a streamed body, may be read now.
    var takesInput: Bool { isStreaming ? receiver != nil : !isAnswering }

    /// Reads one step. Only while `takesInput`.
    ///
    /// - Parameters:
    ///   - heads: heads that need not be read again.
    ///   - rule: how the body of a request with this head is taken.
    func next(
        _ input: inout InputBuffer, heads: inout HTTPHeadMemory,
        rule: (HTTPRequestHead) -> HTTPBodyRule = { _ in .collected }
    ) -> Step {
        var isStreamed = false
        let action = decoder.next(&input, heads: &heads) { head in
            let rule = rule(head)
            isStreamed = rule != .collected
            return rule
        }
        switch action {
        case .needMore:
            guard !isStreaming, !isTimingHead, decoder.isMidRequest(input) else { return .needMore }
            isTimingHead = true
            return .headBegan
        case .head(let head):
            self.head = head
            if isStreamed {
                isStreaming = true
                beginAnswering(head)
                return .streamedRequest(head)
            }
            // A request without a body is complete with its head, and needs no time for a body.
            guard head.framing != .none else { return next(&input, heads: &heads) }
            return .head(expectsContinue: head.expectsContinue)
        case .part(let bytes):
            guard let receiver else { return .needMore }
            progress.received(bytes.count)
            return .part(bytes, receiver)
        case .end(let body):
            if isStreaming, let receiver {
                isStreaming = false
                self.receiver = nil
                return .bodyEnd(receiver)
            }
            guard let head else { return .needMore }
            beginAnswering(head)
            return .request(head, body: body)
        case .failure(let refusal):
            return .refused(withSender(refusal))
        }
    }

    private func beginAnswering(_ head: HTTPRequestHead) {
        isAnswering = true
        isFresh = false
        isLast = isLast || !head.keepsAlive
    }

    // MARK: Streamed bodies of requests

    /// Takes the body of the present request.
    ///
    /// - Returns: whether the client waits for a `100 Continue`; nil when no body waits to be taken.
    func receiveBody(_ receiver: any RequestBodyReceiver) -> Bool? {
        guard isStreaming, self.receiver == nil, let head else { return nil }
        self.receiver = receiver
        progress = IncomingProgress(minimumBytes: progress.minimumBytes)
        return head.expectsContinue && head.framing != .none
    }

    /// Whether enough of a streamed body came in the interval that ends now; see `IncomingProgress`.
    func hasReceivedEnough(isHeldUp: Bool) -> Bool { progress.isEnough(isHeldUp: isHeldUp) }

    /// The connection leaves HTTP: what streams is over.
    func endStreams() {
        receiver?.cutOff()
        receiver = nil
        outgoing?.source.stop()
        outgoing = nil
    }

    // MARK: Answers

    /// The answer's bytes; nil when no request waits for one.
    func answer(_ response: HTTPResponse, date: String) -> HTTPResponseEncoder.Parts? {
        guard isAnswering, outgoing == nil else { return nil }
        endUnreadBody()
        defer { didAnswer() }
        return HTTPResponseEncoder.parts(of: response, date: date, keepsAlive: !isLast, isHead: isHead)
    }

    /// The head of an answer whose body comes from `source`; nil when no request waits for one. The source is not asked where
    /// the answer has no body.
    func beginAnswer(
        _ response: HTTPResponse, length: Int, from source: any ResponseBodySource, date: String
    ) -> [UInt8]? {
        guard isAnswering, outgoing == nil else { return nil }
        endUnreadBody()
        let bytes = HTTPResponseEncoder.head(of: response, length: length, date: date, keepsAlive: !isLast)
        if isHead || length <= 0 { didAnswer() } else { outgoing = OutgoingBody(source: source, length: length) }
        return bytes
    }

    /// The source of an answer that is being sent.
    var source: (any ResponseBodySource)? { outgoing?.source }

    /// Counts a part of the answer's body.
    func willSend(_ count: Int) -> OutgoingBody.Step {
        let step = outgoing?.willSend(count) ?? .broken
        if step == .done {
            outgoing?.source.stop()
            outgoing = nil
            didAnswer()
        }
        return step
    }

    /// Whether the peer takes the body that is being sent; see `OutgoingBody`.
    func isTakingBody(queuedBytes: Int) -> Bool { outgoing?.hasProgressed(queuedBytes: queuedBytes) ?? true }

    private var isHead: Bool { head?.method == "HEAD" }

    /// The rest of a body that was not taken, or not to its end, is never read.
    private func endUnreadBody() {
        guard isStreaming else { return }
        isStreaming = false
        receiver = nil
        isLast = true
    }

    private func didAnswer() {
        isAnswering = false
        isTimingHead = false
        head = nil
    }

    /// Makes the present or the next answer the connection's last.
    func endAfterAnswer() { isLast = true }

    /// The request that is being answered becomes another protocol.
    func didUpgrade() { isAnswering = false }

    /// The time for a head, a body or the next request is over.
    ///
    /// - Parameter hasUnread: whether bytes came that are not understood yet.
    /// - Returns: the refusal of a request that has begun; nil for a kept-alive connection that is idle, which ends without an
    ///   answer.
    func didTimeOut(hasUnread: Bool) -> HTTPRefusal? {
        guard head != nil || hasUnread || isFresh else { return nil }
        return withSender(HTTPRefusal(status: 408, detail: "the request did not arrive in time"))
    }

    /// Adds the request's fields that decide on the answer's headers.
    private func withSender(_ refusal: HTTPRefusal) -> HTTPRefusal {
        guard let head else { return refusal }
        var refusal = refusal
        refusal.origin = head.headers["Origin"]
        refusal.host = head.headers["Host"]
        return refusal
    }
}
