import ChatDomain
import Telemetry

/// A room's questions to the store. Every question is answered on the loop, with a failure where the store takes too long.
struct RoomQueries {
    let room: RoomID
    let context: ShardContext

    /// The room; nil where there is none.
    func read(then: @escaping (Result<RoomSnapshot?, StoreError>) -> Void) {
        ask(
            "room not read",
            { [room] (store) async throws(StoreError) in
                var snapshot = try await store.room(room)
                guard let found = snapshot?.room, found.slowModeSeconds > 0 else { return snapshot }
                snapshot?.recentMessages = try await store.history(of: room, Self.recent(found)).messages
                return snapshot
            },
            then: { [context] result in
                then(
                    result.map { snapshot in
                        var snapshot = snapshot
                        snapshot?.authority.lift(at: context.now.wall)
                        return snapshot
                    })
            })
    }

    /// The messages that say when members of a slow room sent last.
    private static func recent(_ room: Room) -> HistoryQuery {
        HistoryQuery(.latest, limit: 500, base: room.historyBase)
    }

    /// - Parameter creator: the user that wants the room. One that the other user of a direct room blocks does not get it.
    func create(
        _ room: Room, _ participants: [UserID], by creator: UserID,
        then: @escaping (Result<RoomSnapshot, StoreError>) -> Void
    ) {
        ask(
            "room not created",
            { [services = context.services] (store) async throws(StoreError) in
                if let other = DirectRoom.partner(of: creator, in: room.id) {
                    guard try await !store.isBlocked(creator, by: other) else {
                        throw .rejected(reason: "the other user blocks this one")
                    }
                }
                let (snapshot, isNew) = try await store.create(room, participants: participants)
                if isNew { services.observers.roomChanged?(.created(snapshot.room, participants: participants)) }
                return snapshot
            }, then: then)
    }

    /// As much of the log behind a number as one page holds. The store has everything: numbering is storing.
    func log(after sequence: SequenceNumber, then: @escaping (Result<RoomLogPage, StoreError>) -> Void) {
        context.withStore(
            { [room] (store) async throws(StoreError) in
                try await store.log(of: room, after: sequence, limit: HistoryQuery.limits.upperBound)
            }, then: then)
    }

    /// A page, its history from the cache where that holds the whole page, else from the store.
    ///
    /// - Parameter delivered: the newest number delivered here.
    func page(
        _ query: ViewQuery, delivered: SequenceNumber, then: @escaping (Result<ViewPage, StoreError>) -> Void
    ) {
        context.withStore(
            { [room, services = context.services] (store) async throws(StoreError) in
                let history = try await services.history(of: room, query.history, newest: delivered)
                var changed = ChangesPage()
                // Where there are too many new messages the session starts over, and changes matter no more.
                if let changes = query.changes, !history.hasMoreAfter {
                    changed = try await store.changedMessages(of: room, changes)
                }
                return ViewPage(query: query, delivered: delivered, history: history, changed: changed)
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
