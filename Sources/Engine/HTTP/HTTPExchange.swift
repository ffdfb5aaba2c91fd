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

    init(maximumBodyBytes: Int) { decoder = HTTPRequestDecoder(.init(bodyBytes: maximumBodyBytes)) }

    /// Reads one step. Only while no request is being answered.
    func next(_ input: inout InputBuffer) -> Step {
        switch decoder.next(&input) {
        case .needMore:
            guard !isTimingHead, decoder.isMidRequest(input) else { return .needMore }
            isTimingHead = true
            return .headBegan
        case .head(let head):
            self.head = head
            return .head(expectsContinue: head.expectsContinue && head.framing != .none)
        case .end(let body):
            guard let head else { return .needMore }
            isAnswering = true
            isFresh = false
            isLast = isLast || !head.keepsAlive
            return .request(head, body: body)
        case .failure(let refusal):
            return .refused(withSender(refusal))
        }
    }

    /// The answer's bytes; nil when no request waits for one.
    func answer(_ response: HTTPResponse, date: String) -> [UInt8]? {
        guard isAnswering else { return nil }
        let bytes = HTTPResponseEncoder.encode(
            response, date: date, keepsAlive: !isLast, isHead: head?.method == "HEAD")
        isAnswering = false
        isTimingHead = false
        head = nil
        return bytes
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
