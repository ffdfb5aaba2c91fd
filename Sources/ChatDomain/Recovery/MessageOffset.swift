/// Where a client is in the stream of all its rooms: the message it saw last. The text is the same for everybody in the room,
/// so a broadcast that carries it is still made once for all.
public struct MessageOffset: Hashable, Sendable {
    public var room: RoomID
    public var number: SequenceNumber

    public init(room: RoomID, number: SequenceNumber) {
        self.room = room
        self.number = number
    }

    /// nil for what is no offset of ours.
    public init?(_ text: String) {
        // By bytes: a room's id may begin with a mark, which as characters would merge with the colon.
        guard text.utf8.count <= 4096, let mark = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let number = MessageNumbers.message(SequenceNumber(text[..<mark])),
            let room = try? RoomID(
                validating: String(Substring(text.utf8[mark...].dropFirst())), field: "offset")
        else { return nil }
        self.init(room: room, number: number)
    }

    public var text: String { "\(number):\(room.value)" }
}
