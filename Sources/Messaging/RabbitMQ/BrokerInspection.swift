public import ChatDomain
import Workers

/// What a broker says of itself, for operators.
public struct BrokerInspection: Sendable {
    /// `RabbitMQ`, or another product that speaks AMQP 0-9-1; nil where the broker states none.
    public var product: String?
    public var version: String?
    /// Of the queues asked for, those that do not exist yet.
    public var missingQueues: [String]
    /// The broker's reason for accepting no events at the moment.
    public var blockedReason: String?
}

extension RabbitMQEndpoint {
    /// Signs in at the broker and looks whether `queues` exist. Declares and publishes nothing.
    ///
    /// - Parameter clock: never goes back.
    /// - Throws: why the broker cannot be used, after a small multiple of `timeout` at the latest.
    public func inspect(
        queues: [String], clock: @escaping @Sendable () -> Moment
    ) async throws(BrokerError) -> BrokerInspection {
        let limit = CallLimit(clock: clock)
        let watch = Task { await limit.watch() }
        defer { watch.cancel() }
        let result: Result<BrokerInspection, BrokerError> = await withCheckedContinuation { continuation in
            do throws(WorkerThread.NotStarted) {
                _ = try WorkerThread(name: "amqp-inspect") {
                    continuation.resume(
                        returning: Result { () throws(BrokerError) in try inspected(queues: queues, limit) })
                }
            } catch {
                continuation.resume(returning: .failure(.unreachable(reason: error.description)))
            }
        }
        return try result.get()
    }

    private func inspected(queues: [String], _ limit: CallLimit) throws(BrokerError) -> BrokerInspection {
        let session = try BrokerSession(self, queues: [:], callLimit: limit)
        defer { session.close() }
        var missing: [String] = []
        for queue in queues where try !session.exists(queue) { missing.append(queue) }
        _ = try session.readAnswers()
        return BrokerInspection(
            product: session.serverProperty("product"), version: session.serverProperty("version"),
            missingQueues: missing, blockedReason: session.blockedReason)
    }
}
