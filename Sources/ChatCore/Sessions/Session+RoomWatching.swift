import ChatDomain
import Identity

/// Watching the people of rooms.
extension Session {
    /// All rooms or none: one that may not be entered refuses the request.
    func watchRooms(_ rooms: [RoomID], _ request: Request) throws(ChatError) {
        guard let asking = identity?.userID else { return }
        let watches = registry.watchers.rooms
        try watches.beginAsking(for: rooms, by: self)
        let number = begin(request)
        let (services, index) = (context.services, context.index)
        context.loop.run({ await Self.ask(services, for: rooms, by: asking, on: index) }) { [weak self] refusal in
            defer { watches.endAsking(for: rooms) }
            guard let self, finish(number) != nil else { return }
            if let refusal {
                refuse(refusal, event: request.event, tag: request.tag)
            } else {
                watches.add(self, to: rooms)
                showPresence(of: watches.participants(of: rooms), request)
            }
            startWaiting()
        }
    }

    private static func ask(
        _ services: Services, for rooms: [RoomID], by user: UserID, on shard: UInt16
    ) async -> ChatError? {
        await withTaskGroup(of: ChatError?.self) { group in
            for room in rooms {
                group.addTask {
                    guard case .refused(let error) = await services.ask(room, { .watch($0, user, shard: shard) }) else {
                        return nil
                    }
                    return error
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }
}
