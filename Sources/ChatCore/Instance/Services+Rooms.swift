import ChatDomain

/// Asking and telling rooms, from any thread.
extension Services {
    /// The room's answer; every command that carries an origin is answered.
    package func ask(_ room: RoomID, _ command: (RequestOrigin) -> RoomCommand) async -> RoomReply {
        await calls.reply(to: beginAsking(room, command))
    }

    /// Asks a room. A room that is at home on the loop of this call, and loaded, answers most commands before this returns.
    package func beginAsking(_ room: RoomID, _ command: (RequestOrigin) -> RoomCommand) -> CallTable.Call {
        let mailbox = mailbox(home(of: room))
        return calls.begin { mailbox.deliver(.room(room, command($0))) }
    }

    /// The store has changed the room: what comes to this instance from now on finds it so.
    package func applyHere(_ room: RoomID, _ change: RoomChange) {
        mailbox(home(of: room)).post(.roomChanged(room, change, nil))
    }

    /// The store has changed the room: returns when that is in force on every instance.
    package func announce(_ room: RoomID, _ change: RoomChange) async {
        observers.roomChanged?(.changed(room, change))
        applyHere(room, change)
        if bus != nil { await notices.announce(.room(room, change)) }
    }

    /// Has rooms send their participants to a shard, on behalf of a user; the first refusal of a room, if any refuses.
    func watch(_ rooms: [RoomID], for user: UserID, on shard: UInt16) async -> ChatError? {
        await withTaskGroup(of: ChatError?.self) { group in
            for room in rooms {
                group.addTask { [self] in
                    guard case .refused(let error) = await ask(room, { .watch($0, user, shard: shard) }) else {
                        return nil
                    }
                    return error
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
    }

    /// Runs a step of messages' way, and records it where they are traced.
    func trace(_ step: MessageStep, of entries: [RoomLogEntry], _ body: () -> Void) {
        guard let tracer = observers.tracer else { return body() }
        let messages = entries.compactMap(\.message?.id)
        tracer.begin(step, of: messages)
        body()
        tracer.end(step, of: messages, failure: nil)
    }
}
