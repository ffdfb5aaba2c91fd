import ChatDomain
import JSON

/// The context that the parts of one shard share: its loop, the instance, and how much of a turn is used up.
package final class ShardContext {
    package let index: UInt16
    package let loop: any LoopContext
    package let services: Services
    /// A millisecond later, as what is due at once would still run in this turn.
    package private(set) lazy var slices = TurnSlices { [loop] in loop.schedule(after: .milliseconds(1), $0) }
    /// For JSON that is copied on before another is written.
    var scratch = JSONWriter(reserving: 4096)
    private let compress: (UnsafeRawBufferPointer) -> [UInt8]

    /// - Parameter compress: the bytes as a message of a WebSocket that agreed on compression.
    package init(
        index: UInt16, loop: any LoopContext, services: Services,
        compress: @escaping (UnsafeRawBufferPointer) -> [UInt8]
    ) {
        self.index = index
        self.loop = loop
        self.services = services
        self.compress = compress
    }

    package var now: Now { loop.now }

    package func post(_ message: ShardMessage, to shard: UInt16) { loop.post(message, to: shard) }

    /// Compresses a message for connections that agreed on it; nil where it is not worth it, or would hold up the loop.
    func deflate(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard services.configuration.compressedSizes.contains(bytes.count), slices.compress(bytes.count) else {
            return nil
        }
        return compress(bytes)
    }

    /// Asks the store, and continues here with its answer. A store that takes longer than rooms wait for it counts as
    /// unavailable, and its late answer is dropped.
    func withStore<Value: Sendable>(
        _ operation: @escaping @Sendable (any DurableStore) async throws(StoreError) -> Value,
        then: @escaping (Result<Value, StoreError>) -> Void
    ) {
        var waiting: ((Result<Value, StoreError>) -> Void)? = then
        let answered: (Result<Value, StoreError>) -> Void = { [services] result in
            guard let then = waiting else { return }
            waiting = nil
            if case .failure(.unavailable) = result { services.noteStoreFailure() }
            then(result)
        }
        let timer = loop.schedule(after: services.configuration.roomLimits.storeTimeout) {
            answered(.failure(.unavailable(reason: "no answer in time")))
        }
        loop.run(
            { [store = services.store] () async -> Result<Value, StoreError> in
                do throws(StoreError) { return .success(try await operation(store)) } catch { return .failure(error) }
            },
            then: { [loop] result in
                loop.cancel(timer)
                answered(result)
            })
    }
}
