import ChatDomain
import ChatProtocol
import JSON
import Telemetry

/// Encodes what a room's sessions are sent, once for each form in use, and hands each shard its sessions' share.
struct RoomBroadcaster {
    /// Bytes of messages in one broadcast, before they are encoded: a queue takes it as a whole or not at all.
    private static let bytesPerBroadcast = 128 * 1024

    let room: RoomID
    let context: ShardContext

    func deliver(_ entries: [RoomLogEntry], to audience: RoomAudience) {
        context.services.metrics.messages.add(entries.count { $0.message != nil })
        guard !audience.encodings.isEmpty else { return }
        var rest = entries[...]
        while !rest.isEmpty {
            var budget = PageBudget(bytes: Self.bytesPerBroadcast)
            let batch = rest.prefix { budget.takes($0.approximateBytes) }
            rest = rest[batch.endIndex...]
            broadcast(batch, to: audience)
        }
    }

    private func broadcast(_ entries: ArraySlice<RoomLogEntry>, to audience: RoomAudience) {
        var frames = EncodedFrames()
        for entry in entries {
            let offset = MessageOffset(room: room, number: entry.sequence)
            switch entry {
            case .message(let message):
                context.scratch.removeAll()
                MessageJSON.encode(message, into: &context.scratch)
                frames.append(
                    "new_message", data: context.scratch.bytes, offset: offset, for: audience.encodings,
                    deflate: context.deflate)
            case .change(let change):
                frames.append(
                    ChangeJSON.event(of: change), data: ChangeJSON.encode(change), offset: offset,
                    for: audience.encodings, deflate: context.deflate)
            }
        }
        guard let first = entries.first, let last = entries.last?.sequence, first.sequence <= last else { return }
        for shard in audience.shards {
            context.post(.messages(room, frames, first.sequence...last, since: first.timestamp), to: shard)
        }
    }

    func announce(_ announcement: RoomAnnouncement, to audience: RoomAudience, except user: UserID?) {
        guard !audience.encodings.isEmpty else { return }
        let (event, data) = EventJSON.announcement(announcement, in: room)
        var frames = EncodedFrames()
        frames.append(event, data: data, for: audience.encodings, deflate: context.deflate)
        let services = context.services
        let isForAll = !services.presence.settings.isForFriendsOnly && !services.standings.mayHaveBlocks
        let subject = isForAll ? nil : announcement.arrival
        send(
            EncodedAnnouncement(
                frames: frames, isDroppable: announcement.isDroppable, patience: announcement.patience,
                excluded: user, subject: subject),
            to: audience)
    }

    /// Has every session begin again from what the store has.
    func resync(_ audience: RoomAudience, at sequence: SequenceNumber) {
        guard !audience.encodings.isEmpty else { return }
        var frames = EncodedFrames()
        frames.append(
            "resync_required", data: EventJSON.resync(room, lastSequence: sequence), for: audience.encodings,
            deflate: context.deflate)
        send(EncodedAnnouncement(frames: frames), to: audience)
    }

    private func send(_ announcement: EncodedAnnouncement, to audience: RoomAudience) {
        for shard in audience.shards { context.post(.announcement(room, announcement), to: shard) }
    }

    /// Sends a joining session what it is shown, as one answer.
    func show(_ view: RoomView, to join: JoinRequest) {
        let messages = join.history.asMessages ? [] : EventJSON.messages(view.messages)
        let frames = frames(of: view, messages, for: join)
        let answer = join.history.isAnswered ? EventJSON.joined(view, messages: messages) : nil
        context.slices.spend(frames.count + (answer?.count ?? 0))
        let entered = EnteredRoom(
            frames: frames, encoding: join.encoding, answer: answer, state: view.state, userID: join.user.userID,
            numbers: view.numbers(since: join.history.since), needsResync: view.needsResync)
        context.post(.entered(join.session, request: join.request, room, entered), to: join.session.shard)
    }

    /// `message_history`, `message_changes` and `resync_required` where they are due, `room_users` and `room_state`, as bytes for
    /// one session.
    ///
    /// - Parameter messages: the view's, as JSON.
    private func frames(of view: RoomView, _ messages: [UInt8], for join: JoinRequest) -> [UInt8] {
        var out: [UInt8] = []
        func add(_ event: StaticString, _ data: [UInt8], offset: MessageOffset? = nil) {
            let envelope = join.encoding.envelope(event, data: data, offset: offset)
            EncodedFrames.append(envelope, as: join.encoding, deflate: context.deflate, to: &out)
        }
        let last = MessageOffset(room: view.state.roomID, number: view.state.lastSequence)
        if join.history.asMessages {
            // First, so that no offset stands for changes that have not come. The last event has the offset of all of them.
            if !view.changed.isEmpty {
                add("message_changes", changes(in: view), offset: view.messages.isEmpty ? last : nil)
            }
            for message in view.messages { add("new_message", MessageJSON.encode(message), offset: message.offset) }
        } else {
            add("message_history", messages)
            if !view.changed.isEmpty { add("message_changes", changes(in: view)) }
        }
        if view.needsResync {
            add("resync_required", EventJSON.resync(view.state.roomID, lastSequence: view.state.lastSequence))
        }
        add("room_users", EventJSON.users(view.users))
        add(
            "room_state",
            EventJSON.object { out in
                out.state(view.state)
                if !view.readMarks.isEmpty { out.readMarks(view.readMarks) }
            })
        return out
    }

    private func changes(in view: RoomView) -> [UInt8] { EventJSON.changes(view.changed, of: view.state) }
}

extension RoomView {
    /// The numbers of what is shown; nil for nothing.
    ///
    /// - Parameter since: the number the session had seen everything up to; nil where it had seen nothing.
    fileprivate func numbers(since: SequenceNumber?) -> ClosedRange<SequenceNumber>? {
        guard let first = messages.first?.sequence ?? changed.first?.state?.changeSequence else { return nil }
        let start = since.map { min($0, first - 1) + 1 } ?? first
        return start <= state.lastSequence ? start...state.lastSequence : nil
    }
}

extension Message {
    fileprivate var offset: MessageOffset { MessageOffset(room: roomID, number: sequence) }
}

extension RoomAnnouncement {
    /// The user that came or went.
    fileprivate var arrival: UserID? {
        switch self {
        case .joined(let user), .left(let user): user.userID
        default: nil
        }
    }

    /// Whether a slow reader does without it rather than being closed.
    fileprivate var isDroppable: Bool {
        switch self {
        case .read: false
        default: true
        }
    }

    fileprivate var patience: EncodedAnnouncement.Patience {
        switch self {
        case .joined, .left, .state: .long
        case .typing, .read: .short
        }
    }
}
