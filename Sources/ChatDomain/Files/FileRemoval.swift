/// A note that a file is to go with its message, made before the message is deleted or loses the file. It brings the removal about where the
/// process ends in between.
public struct FileRemoval: Hashable, Sendable {
    public var file: FileID
    public var roomID: RoomID
    public var messageID: MessageID
    /// The message's author, who has to own the file.
    public var author: UserID
    public var notedAt: Timestamp

    public init(file: FileID, roomID: RoomID, messageID: MessageID, author: UserID, notedAt: Timestamp) {
        self.file = file
        self.roomID = roomID
        self.messageID = messageID
        self.author = author
        self.notedAt = notedAt
    }
}
