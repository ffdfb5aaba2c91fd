extension WorkQueue {
    /// Runs `body` on a thread that serves this queue, with that thread's context.
    ///
    /// - Parameter refusal: thrown when the queue is full or closed.
    /// - Throws: the error of `body`, or `refusal`.
    public func run<Context, Value: Sendable, Failure: Error>(
        orThrow refusal: Failure, _ body: @escaping @Sendable (Context) throws(Failure) -> Value
    ) async throws(Failure) -> Value where Job == @Sendable (Context) -> Void {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            let isTaken = post { context in
                do throws(Failure) {
                    continuation.resume(returning: .success(try body(context)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !isTaken { continuation.resume(returning: .failure(refusal)) }
        }
        return try result.get()
    }
}
