public import WireProtocols

/// The way back to the client of a request, on this loop or on another.
public final class HTTPResponder {
    private var answer: ((HTTPResponse) -> Void)?
    private var abandon: (() -> Void)?

    /// - Parameter answer: called at most once.
    public init(answer: @escaping (HTTPResponse) -> Void) { self.answer = answer }

    /// The way back over `connection`, whose handler calls `abandoned` when the client goes before it was answered.
    public convenience init(for connection: Connection, answer: @escaping (HTTPResponse, Connection) -> Void) {
        self.init { answer($0, connection) }
        connection.attachment = self
        connection.treatsEndAsGone = true
    }

    /// Answers the request; only the first answer counts.
    public func respond(_ response: HTTPResponse) {
        let answer = answer
        self.answer = nil
        abandon = nil
        answer?(response)
    }

    /// - Parameter action: called when the client is gone before it was answered.
    func onAbandon(_ action: @escaping () -> Void) { abandon = action }

    /// The client is gone before it was answered.
    public func abandoned() {
        let abandon = abandon
        self.abandon = nil
        answer = nil
        abandon?()
    }
}
