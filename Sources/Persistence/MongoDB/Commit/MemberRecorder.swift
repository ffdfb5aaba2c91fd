import ChatDomain

/// Stores the participants and read marks of writes. Both may be stored again after an attempt whose outcome is unknown.
struct MemberRecorder {
    let maximumParticipants: Int

    /// What became of the participants of several rooms.
    private struct Participants {
        /// The rooms as the store has them; nil when all new participants are recorded, or no room could be read.
        var rooms: [RoomID: RoomPeople]?
        var failure: StoreError?
    }

    /// Stores what is not stored yet. What a server refuses of one room does not affect the others, nor the drafts.
    ///
    /// - Returns: the writes whose members are stored or refused, and those that have to be tried again later. Writes past
    ///   their deadline end with the error instead.
    func record(
        _ writes: [PendingWrite], on connection: MongoConnection
    ) -> (recorded: [PendingWrite], open: [PendingWrite]) {
        let recorded = writes.filter { $0.members != nil }
        var open = writes.filter { $0.members == nil }
        guard !open.isEmpty else { return (recorded, []) }
        do throws(MongoError) {
            let participants = try storeParticipants(of: open, on: connection)
            try storeMarks(of: &open, participants, on: connection)
            return (recorded + open, [])
        } catch {
            return (recorded, open.endExpired(with: error))
        }
    }

    /// - Throws: an error that is no refusal.
    private func storeParticipants(
        of writes: [PendingWrite], on connection: MongoConnection
    ) throws(MongoError) -> Participants {
        let joined = writes.filter { !$0.write.newParticipants.isEmpty }
        guard !joined.isEmpty else { return Participants() }
        do throws(MongoError) {
            return Participants(
                rooms: try connection.recordParticipants(
                    joined.map { ($0.write.roomID, $0.write.newParticipants) }, limit: maximumParticipants))
        } catch {
            guard error.isAnswer else { throw error }
            let rooms = try? connection.people(of: joined.map(\.write.roomID))
            return Participants(rooms: rooms, failure: error.asStoreError)
        }
    }

    /// Stores all writes' read marks together, and notes the results of marks and participants in the writes.
    ///
    /// - Throws: an error that is no refusal.
    private func storeMarks(
        of writes: inout [PendingWrite], _ participants: Participants, on connection: MongoConnection
    ) throws(MongoError) {
        let marks = writes.flatMap { pending in pending.write.readMarks.map { (pending.write.roomID, $0) } }
        var results: [Result<Bool, StoreError>]
        do throws(MongoError) {
            results = try connection.advance(marks).map { .success($0) }
        } catch {
            guard error.isAnswer else {
                for index in writes.indices { writes[index].marksMayHaveMoved = true }
                throw error
            }
            results = marks.map { _ in .failure(error.asStoreError) }
        }
        for index in writes.indices {
            let count = writes[index].write.readMarks.count
            writes[index].noteMembers(participants.rooms, participants.failure, Array(results.prefix(count)))
            results.removeFirst(min(count, results.count))
        }
    }
}

extension PendingWrite {
    /// - Parameters:
    ///   - rooms: nil when all new participants of this write are recorded, or none is with a failure.
    ///   - marks: whether each read mark moved.
    fileprivate mutating func noteMembers(
        _ rooms: [RoomID: RoomPeople]?, _ failure: StoreError?, _ marks: [Result<Bool, StoreError>]
    ) {
        var members = RecordedMembers(
            // A mark that moved in an attempt without an answer is at its place already.
            readMarks: marksMayHaveMoved ? marks.map { $0.map { _ in true } } : marks)
        defer { self.members = members }
        guard let rooms else {
            members.participantsFailure = write.newParticipants.isEmpty ? nil : failure
            return
        }
        let missing = Set(write.newParticipants).subtracting(rooms[write.roomID]?.participants ?? [])
        guard !missing.isEmpty else { return }
        members.participantsFailure = failure ?? (rooms[write.roomID] == nil ? .noSuchRoom : nil)
        members.unrecordedParticipants = missing
    }
}
