import ChatDomain
import Telemetry

/// A room's questions to the store. Every question is answered on the loop, with a failure where the store takes too long.
struct RoomQueries {
    let room: RoomID
    let context: ShardContext

    /// The room; nil where there is none.
    func read(then: @escaping (Result<RoomSnapshot?, StoreError>) -> Void) {
        ask("room not read", { [room] (store) async throws(StoreError) in try await store.room(room) }, then: then)
    }

    func create(_ room: Room, _ participants: [UserID], then: @escaping (Result<RoomSnapshot, StoreError>) -> Void) {
        ask(
            "room not created",
            { (store) async throws(StoreError) in try await store.create(room, participants: participants).snapshot },
            then: then)
    }

    /// As much behind a number as one page holds. The store has everything: numbering is storing.
    func history(after sequence: SequenceNumber, then: @escaping (Result<HistoryPage, StoreError>) -> Void) {
        let query = HistoryQuery(.after(sequence), limit: HistoryQuery.limits.upperBound)
        context.withStore(
            { [room] (store) async throws(StoreError) in try await store.history(of: room, query) }, then: then)
    }

    /// A page from the cache where it holds the whole page, else from the store.
    ///
    /// - Parameter newest: the newest number delivered here.
    func page(
        _ query: HistoryQuery, newest: SequenceNumber, then: @escaping (Result<HistoryPage, StoreError>) -> Void
    ) {
        context.withStore(
            { [room, services = context.services] (_) async throws(StoreError) in
                try await services.history(of: room, query, newest: newest)
            }, then: then)
    }

    /// The newest number; 0 where there is none.
    func newest(then: @escaping (Result<SequenceNumber, StoreError>) -> Void) {
        context.withStore(
            { [room] (store) async throws(StoreError) in try await store.lastSequences(of: [room])[room] ?? 0 },
            then: then)
    }

    /// Takes users out of the recorded participants again.
    func unrecord(_ users: [UserID]) {
        ask(
            "participants put out are still recorded",
            { [room] (store) async throws(StoreError) in
                for user in users { _ = try await store.remove(user, from: room) }
            }, then: { _ in })
    }

    /// How many other instances will answer what is asked on the room's channel; nil where that is not known.
    func countOthers(then: @escaping (Int?) -> Void) {
        context.loop.run(
            { [room, services = context.services] () async -> Int? in
                async let others = services.presence.directory.others()
                guard let listeners = await services.bus?.listeners(of: room) else { return nil }
                // Instances of other deployments listen to the same channel and will not answer.
                return min(listeners - 1, await others?.count ?? .max)
            }, then: then)
    }

    /// - Parameter failure: what the log says of a failure.
    private func ask<Value: Sendable>(
        _ failure: String, _ operation: @escaping @Sendable (any DurableStore) async throws(StoreError) -> Value,
        then: @escaping (Result<Value, StoreError>) -> Void
    ) {
        context.withStore(operation) { [services = context.services] result in
            if case .failure(let error) = result { services.storeTrouble.warning(failure, ["reason": "\(error)"]) }
            then(result)
        }
    }
}
