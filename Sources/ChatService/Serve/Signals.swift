import Dispatch
import Foundation

/// The signals that end the process in good order. A second one ends it at once.
final class Signals {
    private let stream: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    init() {
        signal(SIGPIPE, SIG_IGN)
        let (stream, continuation) = AsyncStream<String>.makeStream()
        self.stream = stream
        sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                // First, so that a second signal ends the process as soon as the first shows.
                signal(number, SIG_DFL)
                continuation.yield(name)
            }
            source.activate()
            return source
        }
    }

    func next() async -> String {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next() ?? "end"
    }
}
