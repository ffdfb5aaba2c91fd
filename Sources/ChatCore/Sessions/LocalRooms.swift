import ChatProtocol
import ChatDomain
import Identity

/// One shard's live sessions by room: where a broadcast ends.
final class LocalRooms {
    /// The fields of sessions that a broadcast needs, side by side: with thousands of members most of the time goes into fetching
    /// what is far apart.
    private struct Member {
        let session: Session
        let encoding: FrameEncoding
        /// The WebSocket that takes frames as they are; nil where the channel has to see to it.
        let sink: (any FrameSink)?

        init(_ session: Session) {
            self.session = session
            encoding = session.encoding
            sink = session.channel.frameSink
        }

        /// - Parameter form: the frames in the session's encoding.
        @inline(__always)
        func deliver(_ form: [UInt8], of frames: EncodedFrames) {
            if let sink, !form.isEmpty {
                sink.send(form, isDroppable: false)
            } else {
                session.deliver(frames, isDroppable: false)
            }
        }

        func announce(_ announcement: EncodedAnnouncement) {
            let isDroppable = announcement.isDroppable
            if let sink, case let form = announcement.frames[encoding], !form.isEmpty {
                sink.sendPatiently(form, isDroppable: isDroppable, atMost: announcement.patience.limit)
            } else {
                session.deliver(announcement.frames, isDroppable: isDroppable)
            }
        }
    }

    private final class Members {
        /// In the order of their sessions' identities, so that a session is found without an index beside the list.
        private(set) var list: ContiguousArray<Member> = []
        /// The number of the newest message that came by.
        var newest: SequenceNumber = 0

        /// Where the session stands, or would stand.
        private func place(of session: Session) -> (index: Int, isTaken: Bool) {
            let id = ObjectIdentifier(session)
            let index = list.firstIndex(notBefore: { ObjectIdentifier($0.session) < id })
            return (index, index < list.count && list[index].session === session)
        }

        func contains(_ session: Session) -> Bool { place(of: session).isTaken }

        func insert(_ session: Session) {
            let (index, isTaken) = place(of: session)
            guard !isTaken else { return }
            list.makeRoomForOne()
            list.insert(Member(session), at: index)
        }

        /// Takes in the session's changed transport or encoding.
        func refresh(_ session: Session) {
            let (index, isTaken) = place(of: session)
            if isTaken { list[index] = Member(session) }
        }

        func remove(_ session: Session) {
            let (index, isTaken) = place(of: session)
            if isTaken { list.remove(at: index) }
        }

        /// Queues the frames for every member; how many there were.
        @inline(__always)
        func deliver(_ frames: EncodedFrames) -> Int {
            // Members are used in place, because a copy of one counts references of two objects. A connection that breaks meanwhile is
            // removed from another copy of the list.
            let list = list
            list.withUnsafeBufferPointer { members in
                guard var encoding = members.first?.encoding else { return }
                var form = frames[encoding]
                for index in members.indices {
                    if members[index].encoding != encoding {
                        encoding = members[index].encoding
                        form = frames[encoding]
                    }
                    members[index].deliver(form, of: frames)
                }
            }
            return list.count
        }
    }

    private var rooms: [RoomID: Members] = [:]

    var count: Int { rooms.count }
    var ids: [RoomID] { Array(rooms.keys) }
    func sessionCount(in room: RoomID) -> Int { rooms[room]?.list.count ?? 0 }

    /// - Parameter newest: the number of the newest message the session was shown.
    func add(_ session: Session, to room: RoomID, newest: SequenceNumber) {
        let members = rooms[room] ?? Members()
        rooms[room] = members
        members.newest = max(members.newest, newest)
        members.insert(session)
    }

    func contains(_ session: Session, in room: RoomID) -> Bool {
        rooms[room]?.contains(session) ?? false
    }

    func remove(_ session: Session, from room: RoomID) {
        guard let members = rooms[room] else { return }
        members.remove(session)
        if members.list.isEmpty { rooms[room] = nil }
    }

    /// The number of the newest message the room's sessions here were sent or shown; 0 where there are none.
    func newest(in room: RoomID) -> SequenceNumber { rooms[room]?.newest ?? 0 }

    /// Queues messages for each member; how many there were.
    func fanOut(_ frames: EncodedFrames, to room: RoomID, numbers: ClosedRange<SequenceNumber>) -> Int {
        guard let members = rooms[room] else { return 0 }
        members.newest = max(members.newest, numbers.upperBound)
        return members.deliver(frames)
    }

    /// The session's transport or encoding changed.
    func refresh(_ session: Session, in room: RoomID) {
        rooms[room]?.refresh(session)
    }

    /// Queues an announcement for each member; how many there were. It may wait a little for what else they are sent.
    func announce(_ announcement: EncodedAnnouncement, in room: RoomID) -> Int {
        guard let list = rooms[room]?.list else { return 0 }
        for member in list {
            if let user = announcement.excluded, member.session.identity?.userID == user { continue }
            if let subject = announcement.subject, !member.session.presence.mayShow(subject) { continue }
            member.announce(announcement)
        }
        return list.count
    }
}
