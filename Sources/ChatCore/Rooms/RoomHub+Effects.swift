import ChatDomain
import ChatProtocol
import Telemetry

/// Carrying out what the rules of a room decided.
extension RoomHub {
    /// Bytes of messages in one broadcast, before they are encoded: a queue takes it as a whole or not at all.
    private static let bytesPerBroadcast = 128 * 1024

    func perform(_ effects: [RoomEffect], in room: HomeRoom) {
        for effect in effects {
            switch effect {
            case .reply(let origin, let answer):
                if !room.enrolling.isEmpty { room.enrolling[origin] = nil }
                reply(answer, to: origin)
            case .deliver(let messages): deliver(messages, in: room)
            case .publish(let messages): publish(messages, in: room)
            case .share(let news): share(news, in: room)
            case .announce(let announcement, let user): announce(announcement, except: user, in: room)
            case .repair(let after): repair(room, after: after)
            case .resync(let sequence): resync(room, at: sequence)
            case .unrecord(let users): unrecord(users, in: room.id)
            case .enrolled(let origin): enrolled(origin, in: room)
            case .tellDevices(let mark, let session): services.sendToDevices(mark, in: room.id, except: session)
            }
        }
    }

    private func unrecord(_ users: [UserID], in room: RoomID) {
        context.withStore({ (store) async throws(StoreError) in
            for user in users { _ = try await store.remove(user, from: room) }
        }) { [services] result in
            guard case .failure(let error) = result else { return }
            services.storeTrouble.warning("participants put out are still recorded", ["reason": "\(error)"])
        }
    }

    /// Encodes once per form in use and hands each shard its members' share.
    private func deliver(_ messages: [Message], in room: HomeRoom) {
        services.metrics.messages.add(messages.count)
        let encodings = room.audience.encodings
        guard !encodings.isEmpty else { return }
        var rest = messages[...]
        while !rest.isEmpty {
            var budget = PageBudget(bytes: Self.bytesPerBroadcast)
            let batch = rest.prefix { budget.takes($0.body.approximateBytes) }
            rest = rest[batch.endIndex...]
            broadcast(batch, as: encodings, in: room)
        }
    }

    private func broadcast(_ messages: ArraySlice<Message>, as encodings: [FrameEncoding], in room: HomeRoom) {
        var frames = EncodedFrames()
        for message in messages {
            frames.append(
                "new_message", data: MessageJSON.encode(message), offset: message.offset, for: encodings,
                deflate: context.deflate)
        }
        guard let first = messages.first, let last = messages.last?.sequence, first.sequence <= last else { return }
        for target in room.audience.shards {
            context.post(.messages(room.id, frames, first.sequence...last, since: first.timestamp), to: target)
        }
    }

    private func announce(_ announcement: RoomAnnouncement, except user: UserID?, in room: HomeRoom) {
        let encodings = room.audience.encodings
        guard !encodings.isEmpty else { return }
        let (event, data) = EventJSON.announcement(announcement, in: room.id)
        var frames = EncodedFrames()
        frames.append(event, data: data, for: encodings, deflate: context.deflate)
        let subject = services.presence.settings.isForFriendsOnly ? announcement.arrival : nil
        fanOut(frames, isDroppable: announcement.isDroppable, except: user, about: subject, in: room)
    }

    private func fanOut(
        _ frames: EncodedFrames, isDroppable: Bool, except user: UserID?, about subject: UserID?, in room: HomeRoom
    ) {
        for target in room.audience.shards {
            context.post(.fanOut(room.id, frames, isDroppable: isDroppable, except: user, about: subject), to: target)
        }
    }

    /// Tells everybody in the room to begin again, and forgets what was kept of it elsewhere.
    private func resync(_ room: HomeRoom, at sequence: SequenceNumber) {
        services.metrics.rewinds.add()
        services.storeTrouble.error(
            "the store has lost messages it had acknowledged", ["room": room.id.value, "lastSeq": Int(sequence)])
        services.cache?.drop(room.id)
        let encodings = room.audience.encodings
        guard !encodings.isEmpty else { return }
        var frames = EncodedFrames()
        frames.append(
            "resync_required", data: EventJSON.resync(room.id, lastSequence: sequence), for: encodings,
            deflate: context.deflate)
        fanOut(frames, isDroppable: false, except: nil, about: nil, in: room)
    }

    /// Reads what is missing from the store, which has it: numbering is storing.
    private func repair(_ room: HomeRoom, after sequence: SequenceNumber) {
        guard !room.isRepairing else { return }
        room.isRepairing = true
        services.metrics.repairs.add()
        let id = room.id
        let query = HistoryQuery(.after(sequence), limit: HistoryQuery.limits.upperBound)
        context.withStore({ (store) async throws(StoreError) in try await store.history(of: id, query) }) {
            [unowned self] result in
            room.isRepairing = false
            let now = context.now.monotonic
            let page = try? result.get()
            let effects = room.live?.repaired(page?.messages ?? [], reachedEnd: page?.hasMoreAfter == false, at: now)
            perform(effects ?? [], in: room)
            followUp(room)
        }
    }
}

extension Message {
    var offset: MessageOffset { MessageOffset(room: roomID, number: sequence) }
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
    var isDroppable: Bool {
        switch self {
        case .read: false
        default: true
        }
    }
}
