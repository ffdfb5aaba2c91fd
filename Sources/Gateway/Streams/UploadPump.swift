import ChatDomain
import ChatProtocol
import Engine
import WireProtocols

/// Passes a request's body to its reader, which works off the loop. While the reader has a part, the connection is not read, so
/// that a client is as fast as the store.
final class UploadPump: RequestBodyReceiver {
    typealias Answer = (HTTPResponse, Connection) -> Void

    private enum State {
        /// The reader waits for the next part.
        case ready
        /// The reader works.
        case busy
        /// The reader works, and the result is not wanted any more.
        case unwanted
        case ended
    }

    private let reader: any RequestBodyReader
    private let request: HTTPRequest
    private unowned let channels: ChannelContext
    private weak var connection: Connection?
    private let answer: Answer
    private var state = State.ready

    init(
        _ reader: any RequestBodyReader, of request: HTTPRequest, on connection: Connection, _ channels: ChannelContext,
        answer: @escaping Answer
    ) {
        self.reader = reader
        self.request = request
        self.connection = connection
        self.channels = channels
        self.answer = answer
    }

    func received(_ part: [UInt8]) {
        connection?.pause()
        work({ (reader) async throws(ChatError) in try await reader.receive(part) }) { [self] in
            state = .ready
            connection?.resume()
        }
    }

    func receivedEnd() {
        work({ (reader) async throws(ChatError) in try await reader.finish() }) { [self] response in
            state = .ended
            if let connection { answer(response, connection) }
        }
    }

    func cutOff() {
        switch state {
        case .ready: end()
        case .busy: state = .unwanted
        case .unwanted, .ended: break
        }
    }

    private func work<Value: Sendable>(
        _ body: @escaping @Sendable (any RequestBodyReader) async throws(ChatError) -> Value,
        then: @escaping (Value) -> Void
    ) {
        guard case .ready = state else { return }
        state = .busy
        channels.run({ [reader] () async -> Result<Value, ChatError> in
            do throws(ChatError) { return .success(try await body(reader)) } catch { return .failure(error) }
        }) { [self] result in
            guard case .busy = state else { return end() }
            switch result {
            case .success(let value): then(value)
            case .failure(let error):
                end()
                guard let connection else { return }
                channels.gateway.logRefusal(error.code.rawValue, of: request)
                answer(Problem.response(error), connection)
            }
        }
    }

    private func end() {
        state = .ended
        channels.run({ [reader] in await reader.abandon() }, then: {})
    }
}
