/// How an instance stands with Redis.
enum DirectoryLink {
    /// Changes are not sent.
    case down
    /// Changes are sent; what was there before is being sent.
    case registering(PresenceRegistration)
    case up
    case closing
    case closed

    /// Whether changes here are sent to Redis, and those of other instances come from there.
    var isSending: Bool {
        switch self {
        case .registering, .up: true
        case .down, .closing, .closed: false
        }
    }

    var isClosing: Bool {
        switch self {
        case .closing, .closed: true
        case .down, .registering, .up: false
        }
    }
}
