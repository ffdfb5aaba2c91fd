/// One instance's write of a room on its way into the store, in one piece or several.
struct SequencedWrite: Sendable {
    /// Where the outcome goes.
    enum Source: Hashable, Sendable {
        case own
        case forwarded(InstanceID, ticket: UInt64)
    }

    let source: Source
    private let write: RoomWrite
    /// The outcomes of the drafts before the rest; one per draft of the finished pieces.
    private var outcome: RoomWriteOutcome
    private var hasBegun = false

    init(_ write: RoomWrite, from source: Source) {
        self.source = source
        self.write = write
        outcome = RoomWriteOutcome(roomID: write.roomID, drafts: [], readMarks: [])
    }

    /// Whether the whole write has its outcome.
    var finished: RoomWriteOutcome? { hasBegun && outcome.drafts.count == write.drafts.count ? outcome : nil }

    var approximateBytes: Int { write.approximateBytes }

    /// The drafts without an outcome, `bytes` at most and one at least; participants and read marks go with the first piece.
    func piece(bytes limit: Int) -> RoomWrite {
        var bytes = 0
        let drafts = write.drafts.dropFirst(outcome.drafts.count).enumerated().prefix { index, draft in
            bytes += draft.approximateBytes
            return index == 0 || bytes <= limit
        }
        return RoomWrite(
            roomID: write.roomID, lastKnown: write.lastKnown, newParticipants: hasBegun ? [] : write.newParticipants,
            readMarks: hasBegun ? [] : write.readMarks, drafts: drafts.map(\.element))
    }

    /// Takes the outcome of a piece. Drafts from the first lost race on stay without one.
    ///
    /// - Returns: whether the piece met a lost race.
    mutating func take(_ piece: RoomWriteOutcome) -> Bool {
        let settled = piece.drafts.prefix { $0 != .failed(.contended) }
        let room = write.drafts.count - outcome.drafts.count
        outcome.drafts += settled.prefix(room)
        if !hasBegun {
            outcome.readMarks = piece.readMarks
            outcome.participantsFailure = piece.participantsFailure
            outcome.unrecordedParticipants = piece.unrecordedParticipants
        }
        hasBegun = true
        return settled.count < piece.drafts.count
    }

    /// Ends the rest with an error.
    mutating func fail(_ error: StoreError) {
        let open = write.drafts.count - outcome.drafts.count
        outcome.drafts += Array(repeating: .failed(error), count: open)
        if !hasBegun {
            outcome.readMarks = write.readMarks.map { _ in .failure(error) }
            outcome.participantsFailure = write.newParticipants.isEmpty ? nil : error
        }
        hasBegun = true
    }
}

extension RoomWrite {
    /// What its drafts weigh, in bytes.
    var approximateBytes: Int { drafts.reduce(0) { $0 + $1.approximateBytes } }

    /// Writes of one room as one, in order.
    static func combined(_ writes: [RoomWrite]) -> RoomWrite? {
        guard var combined = writes.first else { return nil }
        for write in writes.dropFirst() {
            combined.lastKnown = max(combined.lastKnown, write.lastKnown)
            combined.newParticipants += write.newParticipants.filter { !combined.newParticipants.contains($0) }
            combined.readMarks += write.readMarks
            combined.drafts += write.drafts
        }
        return combined
    }
}

extension RoomWriteOutcome {
    /// The outcome of joined writes, cut into theirs. An outcome that does not fit its writes fails what it leaves out.
    func divided(among writes: [RoomWrite]) -> [RoomWriteOutcome] {
        var drafts = drafts[...]
        var marks = readMarks[...]
        let missing = StoreError.unavailable(reason: "the store left out an outcome")
        return writes.map { write in
            defer {
                drafts = drafts.dropFirst(write.drafts.count)
                marks = marks.dropFirst(write.readMarks.count)
            }
            var outcome = RoomWriteOutcome(
                roomID: roomID, drafts: Array(drafts.prefix(write.drafts.count)),
                readMarks: Array(marks.prefix(write.readMarks.count)),
                participantsFailure: write.newParticipants.isEmpty ? nil : participantsFailure)
            outcome.drafts += Array(repeating: .failed(missing), count: write.drafts.count - outcome.drafts.count)
            outcome.readMarks += Array(
                repeating: .failure(missing), count: write.readMarks.count - outcome.readMarks.count)
            outcome.unrecordedParticipants = unrecordedParticipants.intersection(write.newParticipants)
            return outcome
        }
    }
}
