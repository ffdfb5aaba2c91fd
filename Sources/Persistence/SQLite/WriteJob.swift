import ChatDomain

/// One thing for the writer to do. Jobs share transactions; each is answered once, after what it did is durable.
struct WriteJob: Sendable {
    typealias Answer = @Sendable () -> Void

    /// What it stores for rooms; empty for other work.
    private let writes: [RoomWrite]
    /// Runs inside the transaction; what it returns is called when that is durable.
    ///
    /// Throws `.unavailable` when the whole transaction must be rolled back, `.rejected` when only this job failed.
    let perform: @Sendable (WriteSession) throws(StoreError) -> Answer
    /// Called instead when nothing of the job was stored.
    let fail: @Sendable (StoreError) -> Void

    /// How many messages and changes it stores.
    var draftCount: Int { writes.reduce(0) { $0 + $1.drafts.count } }

    /// The rooms that it writes to, in no order; none for other work.
    var rooms: some Sequence<RoomID> { writes.lazy.map(\.roomID) }
}

extension WriteJob {
    /// Has the writer look for what is due.
    static let nothing = WriteJob(writes: []) { _ throws(StoreError) in
        {}
    } fail: { _ in
    }

    static func commit(
        _ writes: [RoomWrite], _ completion: @escaping @Sendable ([RoomWriteOutcome]) -> Void
    ) -> Self {
        WriteJob(writes: writes) { session throws(StoreError) in
            var outcomes: [RoomWriteOutcome] = []
            outcomes.reserveCapacity(writes.count)
            for write in writes { outcomes.append(try session.perform(write)) }
            return { [outcomes] in completion(outcomes) }
        } fail: { error in
            completion(writes.map { .failure(of: $0, error) })
        }
    }

    static func mutation<Value: Sendable>(
        _ body: @escaping @Sendable (WriteSession) throws(StoreError) -> Value,
        answer: @escaping @Sendable (Result<Value, StoreError>) -> Void
    ) -> Self {
        WriteJob(writes: []) { session throws(StoreError) in
            let value = try session.atomically { () throws(StoreError) in try body(session) }
            return { answer(.success(value)) }
        } fail: { error in
            answer(.failure(error))
        }
    }
}
