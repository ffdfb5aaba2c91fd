import ChatCore
import ChatDomain

/// Which callers a route answers.
enum RouteAccess: Hashable, Sendable {
    /// Every caller. Credentials are not even read, so that bad ones do no harm.
    case everyone
    /// Users and services; in trusted mode callers without a name too. The handler asks the room whether it is open to them.
    case reader
    /// The same callers to begin with. The handler asks the room for its owner.
    case owner
    /// The same callers to begin with. The handler asks the room for its owner and moderators.
    case moderator
    /// Users and services; callers without a name too where presence is public.
    case viewer
    /// Users, and services that act for one.
    case user
    case userOrService
    case service

    /// The subjects that the configuration opens to callers without a name.
    struct Openness: Hashable, Sendable {
        var rooms: Bool
        var presence: Bool
    }

    /// - Throws: `unauthorized` for a caller without the name or key that the route needs.
    func check(_ caller: Caller, _ openness: Openness) throws(ChatError) {
        let isKnown = caller.user != nil || caller.isService
        switch self {
        case .everyone: return
        case .reader, .owner, .moderator: if !isKnown, !openness.rooms { throw .unauthorized }
        case .viewer: if !isKnown, !openness.presence { throw .unauthorized }
        case .userOrService: if !isKnown { throw .unauthorized }
        case .user: if caller.user == nil { throw .unauthorized }
        case .service: if !caller.isService { throw ChatError(.unauthorized, "this takes the service key") }
        }
    }
}
