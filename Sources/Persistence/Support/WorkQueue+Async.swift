import ChatDomain

extension WorkQueue {
    /// Runs `body` on a thread that works off this queue, with what that thread holds.
    ///
    /// - Throws: what `body` throws; `.unavailable` when the queue is full or closed.
    func run<Context, Value: Sendable>(
        _ body: @escaping @Sendable (Context) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value where Job == @Sendable (Context) -> Void {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let isTaken = post { context in
                do throws(StoreError) {
                    continuation.resume(returning: .success(try body(context)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !isTaken { continuation.resume(returning: .failure(.refused)) }
        }
        return try result.get()
    }
}

extension StoreError {
    static let refused = Self.unavailable(reason: "the store is closed, or too much waits for it")
}
