extension LiveRoom {
    /// Takes a message up for storing. The answer comes with the store's.
    ///
    /// - Parameters:
    ///   - session: where it came from; nil for REST, where the right to enter is enough.
    ///   - since: when it came, which its sender's patience counts from; nil for now.
    public mutating func send(
        _ draft: MessageDraft, from session: SessionAddress?, origin: RequestOrigin, since: Moment? = nil,
        at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        if let session {
            guard members.contains(session) else { return .failure(.notJoined) }
        } else {
            guard admits(draft.body.author) else { return .failure(.roomUnavailable) }
        }
        let deadline = (since ?? now) + limits.storeMilliseconds
        guard deadline > now else { return .failure(.storageUnavailable) }
        writes.add(.init(draft: draft, origin: origin, deadline: deadline))
        guard !typists.isEmpty else { return .success([]) }
        return .success(endTyping(RoomUser(userID: draft.body.author, username: draft.body.username), at: now))
    }

    /// Takes a read mark up for storing. A mark beyond the newest message known here may be of one that another instance has
    /// just stored: the store is asked first, once for all marks that wait.
    public mutating func markRead(
        _ session: SessionAddress, sequence: SequenceNumber, origin: RequestOrigin, at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        guard let user = members.user(of: session) else { return .failure(.notJoined) }
        guard sequence <= lastSequence else {
            distantMarks.append(DistantMark(session: session, sequence: sequence, origin: origin))
            return .success(distantMarks.count == 1 ? [.readNewest] : [])
        }
        store(ReadMark(userID: user.userID, sequence: sequence), of: user, origin: origin, at: now)
        return .success([])
    }

    /// Takes the store's newest number, as `readNewest` asked for it; marks beyond it mean it.
    ///
    /// - Parameter newest: nil where the store did not answer.
    public mutating func didReadNewest(_ newest: SequenceNumber?, at now: Moment) -> [RoomEffect] {
        let marks = distantMarks
        distantMarks = []
        guard let newest else { return marks.map { .reply($0.origin, .refused(.storageUnavailable)) } }
        announced(lastSequence: newest, at: now)
        return marks.compactMap { mark in
            guard let user = members.user(of: mark.session) else { return .reply(mark.origin, .refused(.notJoined)) }
            let sequence = min(mark.sequence, max(lastSequence, newest))
            store(ReadMark(userID: user.userID, sequence: sequence), of: user, origin: mark.origin, at: now)
            return nil
        }
    }

    private mutating func store(_ mark: ReadMark, of user: RoomUser, origin: RequestOrigin, at now: Moment) {
        writes.add(.init(mark: mark, user: user, origin: origin, deadline: now + limits.storeMilliseconds))
    }

    /// Whether `nextWrite` has something.
    public var hasWriteReady: Bool { writes.inFlight == nil && writes.hasWork }

    /// Whether the store has not answered the last `nextWrite` yet.
    public var isWriting: Bool { writes.inFlight != nil }

    /// Gives up everybody who waits for the store, and forgets what it was not given yet.
    public mutating func abandonWrites() -> [RequestOrigin] {
        let marks = distantMarks
        distantMarks = []
        return writes.expire(at: Moment(milliseconds: .max)) + marks.map(\.origin)
    }

    /// What to store next, if anything; `committed` must follow before there is more.
    public mutating func nextWrite() -> RoomWrite? { writes.next(in: room.id, lastKnown: gate.delivered) }

    /// Takes the store's answer to the last `nextWrite`.
    public mutating func committed(_ outcome: RoomWriteOutcome, at now: Moment) -> [RoomEffect] {
        let written = writes.finish()
        var effects: [RoomEffect] = []
        effects.reserveCapacity(written.drafts.count + 2)
        var stored: [Message] = []
        for (draft, result) in zip(written.drafts, outcome.drafts) {
            if let origin = draft.origin { effects.append(.reply(origin, Self.reply(to: draft.draft, result))) }
            switch result {
            case .stored(let sequence): stored.append(Message(draft.draft, in: room.id, sequence: sequence))
            // Whoever stored the first may not have come to telling anybody.
            case .duplicate(_, let sequence, _): gate.announce(sequence)
            case .conflict, .failed: break
            }
        }
        if let first = stored.first, contradicts(first) {
            effects += rewind(to: first.sequence - 1) + [.share(.rewound(to: first.sequence - 1))]
        }
        if !stored.isEmpty { effects.append(.publish(stored)) }
        effects += admit(stored, at: now)
        for (mark, result) in zip(written.marks, outcome.readMarks) {
            if let origin = mark.origin {
                let failed = (try? result.get()) == nil
                effects.append(.reply(origin, failed ? .refused(.storageUnavailable) : .done))
            }
            if case .success(true) = result {
                readMarks.note(mark.mark)
                effects.append(.tellDevices(mark.mark, except: mark.origin?.session))
                // Reading shows that its user is there, which others are not to know of a hidden one.
                guard !hidden.contains(mark.user.userID) else { continue }
                effects.append(.announce(.read(mark.user, mark.mark.sequence), except: mark.user.userID))
                effects.append(.share(.read(mark.user, mark.mark.sequence)))
            }
        }
        // Behind the messages: a joining session is shown the room with them, and must not get them once more.
        return written.enrolments.isEmpty ? effects : effects + enrolled(written.enrolments, outcome)
    }

    /// The store's answer to joiners.
    private mutating func enrolled(_ enrolments: [WriteQueue.Enrolment], _ outcome: RoomWriteOutcome) -> [RoomEffect] {
        if let failure = outcome.participantsFailure {
            let error: ChatError = if case .rejected = failure { .roomUnavailable } else { .storageUnavailable }
            return enrolments.compactMap(\.origin).map { .reply($0, .refused(error)) }
        }
        var effects: [RoomEffect] = []
        let recorded = enrolments.filter { !outcome.unrecordedParticipants.contains($0.user) }
        let revoked = Set(recorded.filter { $0.isRevoked && !writes.isEnrolling($0.user) }.map(\.user))
        if !revoked.isEmpty { effects.append(.unrecord(Array(revoked))) }
        for enrolment in recorded where !enrolment.isRevoked && !participants.contains(enrolment.user) {
            admit(enrolment.user)
            effects.append(.share(.participant(enrolment.user)))
        }
        return effects + enrolments.compactMap(\.origin).map { .enrolled($0) }
    }

    private static func reply(to draft: MessageDraft, _ result: RoomWriteOutcome.Draft) -> RoomReply {
        switch result {
        case .stored(let sequence):
            .sent(id: draft.id, sequence: sequence, timestamp: draft.timestamp, isDuplicate: false)
        case .duplicate(let id, let sequence, let timestamp):
            .sent(id: id, sequence: sequence, timestamp: timestamp, isDuplicate: true)
        case .conflict:
            .refused(.init(.conflict, "this clientMessageId was used for another message"))
        case .failed(.unavailable): .refused(.storageUnavailable)
        case .failed(.rejected): .refused(.badRequest("the store refused this message"))
        }
    }

    /// Learns that the store has nothing after `sequence`: it lost what it had acknowledged, and what was delivered of it is
    /// not there any more. Nothing happens where no more than that was delivered.
    public mutating func rewind(to sequence: SequenceNumber) -> [RoomEffect] {
        guard sequence < gate.delivered else { return [] }
        gate = SequenceGate(delivered: sequence)
        tail = MessageTail(after: sequence)
        (repairDue, newestAtRepair) = (nil, 0)
        return [.resync(lastSequence: sequence)]
    }

    /// Whether a number that was delivered here was given to another message now.
    private func contradicts(_ message: Message) -> Bool {
        guard message.sequence <= gate.delivered else { return false }
        return tail.message(message.sequence).map { $0.id != message.id } ?? false
    }

    /// Takes messages that another instance stored.
    public mutating func received(_ messages: [Message], at now: Moment) -> [RoomEffect] { admit(messages, at: now) }

    /// Takes what the store holds after the number `repair` named.
    ///
    /// - Parameter reachedEnd: these are all the store has. What was heard of before it was asked and is not among them does
    ///   not exist, and is waited for no longer.
    public mutating func repaired(_ messages: [Message], reachedEnd: Bool, at now: Moment) -> [RoomEffect] {
        isRepairing = false
        let ready = gate.admit(messages)
        if reachedEnd { gate.forgetMissing(upTo: newestAtRepair) }
        return deliver(ready, at: now)
    }

    /// Learns that the room has messages up to `sequence`, as the store or another instance says.
    public mutating func announced(lastSequence sequence: SequenceNumber, at now: Moment) {
        gate.announce(sequence)
        scheduleRepair(at: now)
    }

    private mutating func admit(_ messages: [Message], at now: Moment) -> [RoomEffect] {
        deliver(gate.admit(messages), at: now)
    }

    private mutating func deliver(_ ready: [Message], at now: Moment) -> [RoomEffect] {
        for message in ready {
            tail.append(message)
            readMarks.note(ReadMark(userID: message.body.author, sequence: message.sequence))
        }
        scheduleRepair(at: now)
        return ready.isEmpty ? [] : [.deliver(ready)]
    }

    private mutating func scheduleRepair(at now: Moment) {
        guard gate.hasHole else { return repairDue = nil }
        if repairDue == nil, !isRepairing { repairDue = now + Self.repairDelay }
    }
}

/// A read mark beyond the newest message known here.
struct DistantMark: Sendable {
    let session: SessionAddress
    let sequence: SequenceNumber
    let origin: RequestOrigin
}
