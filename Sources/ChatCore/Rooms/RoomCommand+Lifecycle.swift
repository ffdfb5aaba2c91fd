import ChatDomain

extension RoomCommand {
    /// Where the command is answered; nil for one without an answer.
    var origin: RequestOrigin? {
        switch self {
        case .join(let session, let request, _, _, _), .typing(let session, let request, _),
            .markRead(let session, let request, _), .leave(let session, let request?, _):
            .session(session, request: request)
        case .send(_, let origin, _, _, _), .change(_, let origin, _, _, _, _), .info(let origin, _, _),
            .watch(let origin, _, _):
            origin
        case .leave, .reencode, .visibility: nil
        }
    }
}

extension RoomCommand: LifecycleCommand {
    package var isAlwaysAllowed: Bool {
        switch self {
        case .leave, .reencode: true
        default: false
        }
    }

    package var creation: RoomCreation? {
        switch self {
        case .join(_, _, let user, _, _): .byJoining(user.userID)
        case .send(nil, _, _, let author, _): .bySending(author.userID)
        default: nil
        }
    }

    package var since: Moment? {
        switch self {
        case .send(_, _, _, _, let since), .change(_, _, _, _, _, let since): since
        default: nil
        }
    }

    package func waiting(since now: Moment) -> Self {
        switch self {
        case .send(let session, let origin, let message, let author, nil):
            .send(session, origin, message, author, since: now)
        case .change(let session, let origin, let request, let user, let isService, nil):
            .change(session, origin, request, user, isService: isService, since: now)
        default: self
        }
    }
}
