import Crypto
import Gateway
import MessagingOutbox
import MessagingRabbitMQ

/// How callers prove their identity.
enum AuthenticationMode: String, Choice {
    /// By a token that is verified.
    case token
    /// By claiming a user id. A token that is given is verified all the same.
    case trusted
}

enum LogFormatChoice: String, Choice {
    case pretty, json
}

extension EventMode: Choice {}

extension RabbitMQQueue.Kind: Choice {}

/// How callers of the internal listener authenticate.
enum InternalAuthentication: String, Choice {
    /// By the service key.
    case key
    /// Not at all: the network admits services only.
    case open = "none"
}

/// Where rooms' files are kept.
enum FilesStore: String, Choice {
    case disk, mongodb
}

/// The users whose presence a user may see.
enum PresenceVisibility: String, Choice {
    case everyone, friends
}

extension OriginPolicy {
    /// `*`, or origins with commas between.
    init?(parsing text: String) {
        let parts = text.split(separator: ",").map { $0.trimmingBlanks() }.filter { !$0.isEmpty }
        if parts == ["*"] {
            self = .any
            return
        }
        let origins = parts.compactMap(Self.origin)
        guard !origins.isEmpty, origins.count == parts.count else { return nil }
        self = .list(Set(origins))
    }

    /// Drops a slash behind the host: configurations often have one, and no browser sends one.
    private static func origin(_ text: String) -> WebOrigin? {
        WebOrigin(text.hasSuffix("/") && !text.hasSuffix("://") ? text.dropLast() : text[...])
    }
}
