import ChatDomain
import ChatProtocol

/// What a room announces, encoded for its sessions.
package struct EncodedAnnouncement: Sendable {
    /// How long it may wait for what else its receivers are sent, while their loop is busy.
    package enum Patience: Sendable {
        /// For what is soon over, as typing is.
        case short
        /// For who is there. When all users of a fleet come back at once these are as many as the square of the users of a room.
        case long

        var limit: Duration { self == .short ? .milliseconds(250) : .seconds(1) }
    }

    let frames: EncodedFrames
    /// Whether a slow reader does without it rather than being closed.
    var isDroppable = false
    var patience = Patience.short
    /// The user whose sessions do not get it.
    var excluded: UserID?
    /// The user it is about, where it goes only to sessions whose users may see that user; nil to send it to all.
    var subject: UserID?
}
