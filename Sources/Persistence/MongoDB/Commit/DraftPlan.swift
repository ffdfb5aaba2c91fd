import ChatDomain

/// The entries that drafts become, with their numbers, and the outcomes of drafts that take no number.
struct DraftPlan: Sendable {
    enum Step: Sendable {
        case entry(RoomLogEntry)
        /// An outcome that holds once all entries before it are stored.
        case outcome(RoomWriteOutcome.Draft)
    }

    private(set) var steps: [Step] = []

    var entries: [RoomLogEntry] {
        steps.compactMap { if case .entry(let entry) = $0 { entry } else { nil } }
    }

    init() {}

    /// Plans drafts in their order. Where one repeats another of them the plan ends before it: it is answered with what the first
    /// one became.
    ///
    /// - Parameters:
    ///   - first: the number of the first entry.
    ///   - facts: as of the entry before `first`.
    init(_ drafts: [RoomDraft], in room: RoomID, from first: SequenceNumber, _ facts: RoomFacts) {
        var facts = facts
        var next = first
        for (index, draft) in drafts.enumerated() {
            guard !drafts[..<index].contains(where: draft.isRepeat) else { return }
            let step = Self.step(draft, in: room, next, facts)
            if case .entry(let entry) = step {
                next += 1
                switch entry {
                case .change(let change): facts.apply(change)
                case .message(let message):
                    if let target = entry.target { facts.messages[target]?.noteReply(message.sequence) }
                    facts.messages[message.id] = message
                }
            }
            steps.append(step)
        }
    }

    /// A plan of messages that need no facts.
    init(messages: [RoomDraft], in room: RoomID, from first: SequenceNumber) {
        steps = messages.compactMap(\.message).enumerated().map { offset, draft in
            .entry(.message(Message(draft, in: room, sequence: first + SequenceNumber(offset))))
        }
    }

    private static func step(
        _ draft: RoomDraft, in room: RoomID, _ number: SequenceNumber, _ facts: RoomFacts
    ) -> Step {
        switch draft {
        case .message(let message):
            if facts.earlier(draft) == nil, message.body.replyTo != nil,
                draft.target.flatMap({ facts.messages[$0] }) == nil
            {
                return .outcome(.refused(.noSuchReply))
            }
            return .entry(.message(Message(message, in: room, sequence: number)))
        case .change(let change):
            let message = facts.messages[change.messageID]
            if let earlier = facts.earlier(draft) {
                return .outcome(RoomWriteOutcome.Draft(of: draft, given: earlier, changed: message))
            }
            switch change.evaluate(on: message, facts: facts.reactions(for: change)) {
            case .unchanged(let count): return .outcome(.unchanged(count: count))
            case .refused(let error): return .outcome(.refused(error))
            case .change(let kind):
                guard let message else { return .outcome(.refused(.messageUnavailable)) }
                return .entry(.change(MessageChange(change, kind, of: message, sequence: number)))
            }
        }
    }
}

extension RoomDraft {
    /// Whether another draft has the same client id of the same user.
    fileprivate func isRepeat(of other: RoomDraft) -> Bool {
        guard let clientID = clientMessageID, author == other.author else { return false }
        return other.clientMessageID?.hasSameBytes(as: clientID) == true
    }
}

extension RoomWriteOutcome.Draft {
    /// The outcome of a draft that is stored as this entry.
    init(_ entry: RoomLogEntry) {
        switch entry {
        case .message(let message): self = .stored(message.sequence)
        case .change(let change): self = .changed(change)
        }
    }

    /// The outcome of a draft whose client id this entry has.
    ///
    /// - Parameter message: the message that the entry changed, as it is now, if it is known.
    init(of draft: RoomDraft, given earlier: RoomLogEntry, changed message: Message?) {
        switch (draft, earlier) {
        case _ where earlier.id == draft.id: self.init(earlier)
        case (.message(let draft), .message(let earlier)):
            self =
                earlier.isRepeated(by: draft.body)
                ? .duplicate(id: earlier.id, sequence: earlier.sequence, timestamp: earlier.timestamp) : .conflict
        case (.change(let draft), .change(let earlier)):
            self = draft.isRepeat(of: earlier, to: message) ? .repeated(earlier) : .conflict
        default: self = .conflict
        }
    }
}
