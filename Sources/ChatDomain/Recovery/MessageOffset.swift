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
        guard text.utf8.count <= 4096, let mark = text.firstIndex(of: ":"), let number = SequenceNumber(text[..<mark]),
            number > 0, let room = try? RoomID(validating: String(text[text.index(after: mark)...]), field: "offset")
        else { return nil }
        self.init(room: room, number: number)
    }

    public var text: String { "\(number):\(room.value)" }
}
