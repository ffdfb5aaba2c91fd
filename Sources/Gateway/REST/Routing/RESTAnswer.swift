import ChatDomain
import WireProtocols

/// The answer of a route.
enum RESTAnswer: Sendable {
    /// Reads bytes of a body from an offset on, at most `limit` and at least one; nil when they cannot be read.
    typealias BodyRead = @Sendable (_ offset: Int64, _ limit: Int) async -> [UInt8]?

    case whole(HTTPResponse)
    /// The body of the request is to be read before there is an answer.
    case upload(any RequestBodyReader)
    /// The head of an answer whose body is the range of what the function reads.
    case download(HTTPResponse, Range<Int64>, BodyRead)
}

/// Takes the body of a request, off the loop. Its calls follow each other: the next comes when the one before has returned.
protocol RequestBodyReader: Sendable {
    /// The next bytes.
    ///
    /// - Throws: the refusal of the request. `abandon` follows.
    func receive(_ part: [UInt8]) async throws(ChatError)
    /// The body is complete.
    ///
    /// - Returns: the answer.
    /// - Throws: the refusal of the request. `abandon` follows.
    func finish() async throws(ChatError) -> HTTPResponse
    /// No answer is wanted any more: nothing of what was taken may stay.
    func abandon() async
}
