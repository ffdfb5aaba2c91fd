import Dispatch

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The signals that the service handles. A second signal that ends the process ends it at once.
final class Signals {
    /// One element for `SIGHUP`s that arrived since the last one was taken.
    let reloads: AsyncStream<Void>
    private let ends: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]

    init() {
        signal(SIGPIPE, SIG_IGN)
        let (ends, end) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let (reloads, reload) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.ends = ends
        self.reloads = reloads
        sources =
            [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
                Self.source(of: number) {
                    // First, so that a second signal ends the process as soon as the first is handled.
                    signal(number, SIG_DFL)
                    end.yield(name)
                }
            } + [Self.source(of: SIGHUP) { reload.yield() }]
    }

    /// The name of the signal that ends the process, once it arrives.
    func nextEnd() async -> String {
        var iterator = ends.makeAsyncIterator()
        return await iterator.next() ?? "end"
    }

    private static func source(of number: Int32, handler: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: handler)
        source.activate()
        return source
    }
}
