import Gateway

/// Who is believed about who they are.
enum AuthenticationMode: String, Choice {
    /// A verified token, or nobody.
    case token
    /// A claimed identity is taken as it is; a token that is given is verified all the same.
    case trusted
}

enum LogFormatChoice: String, Choice {
    case pretty, json
}

/// What one message becomes on the event queue.
enum EventMode: String, Choice {
    /// One event for each participant other than the sender.
    case recipient
    /// One event that lists them.
    case message
}

/// What callers of the internal listener must show.
enum InternalAuthentication: String, Choice {
    case key
    /// Nothing: the network guards it.
    case open = "none"
}

/// Whose presence a user may see.
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

    /// People write a slash behind a host, which no browser does.
    private static func origin(_ text: String) -> WebOrigin? {
        WebOrigin(text.hasSuffix("/") && !text.hasSuffix("://") ? text.dropLast() : text[...])
    }
}

/// One Redis server and how to get in.
struct RedisEndpoint: Hashable, Sendable {
    var host: String
    var port: Int
    var user: String?
    var password: Secret?
    var database: Int
    var usesTLS: Bool

    init(
        host: String, port: Int = 6379, user: String? = nil, password: Secret? = nil, database: Int = 0,
        usesTLS: Bool = false
    ) {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.database = database
        self.usesTLS = usesTLS
    }

    init?(url text: String) {
        guard let url = ServerURL(text), url.scheme == "redis" || url.scheme == "rediss" else { return nil }
        guard let database = Int(url.path.flatMap { $0.isEmpty ? nil : $0 } ?? "0"), database >= 0 else { return nil }
        self.init(
            host: url.host, port: url.port ?? 6379, user: url.user, password: url.password, database: database,
            usesTLS: url.scheme == "rediss")
    }
}
