import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The signals that the service handles. The first `SIGTERM` or `SIGINT` is the caller's; a second one ends the process at once,
/// with status 128 plus its number.
final class Signals {
    /// One element for `SIGHUP`s that arrived since the last one was taken.
    let reloads: AsyncStream<Void>
    private let ends: AsyncStream<String>
    private let sources: [any DispatchSourceSignal]
    /// A serial queue gets a thread even while all threads of the pool are blocked.
    private static let queue = DispatchQueue(label: "signals")

    init() {
        signal(SIGPIPE, SIG_IGN)
        let (ends, end) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingOldest(1))
        let (reloads, reload) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.ends = ends
        self.reloads = reloads
        let isEnding = Atomic(false)
        sources =
            [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
                Self.source(of: number) {
                    // The default action of the signal would not do: Dispatch may read the signal before the kernel applies
                    // the action, and process 1 of a container has no default action.
                    guard !isEnding.exchange(true, ordering: .relaxed) else { _exit(128 + number) }
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
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: handler)
        source.activate()
        return source
    }
}
