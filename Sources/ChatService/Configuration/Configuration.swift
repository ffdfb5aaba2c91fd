import ChatDomain
import EventLoop
import Gateway
import Telemetry

/// Everything an operator decides, read once at start, checked and typed.
struct Configuration: Equatable, Sendable {
    var instance: InstanceID
    /// Whose instances this one shares rooms and users with.
    var deployment: DeploymentID
    /// The deployment's name, if it has one.
    var environment: String?
    /// Milliseconds a drain may take.
    var shutdownGrace: Int
    var listening: Listening
    var logging: Logging
    var authentication: Authentication
    var store: Store
    /// Where files of this instance live, whatever the store is.
    var dataDirectory: String
    /// nil: this instance is by itself.
    var redis: RedisEndpoint?
    /// nil: nobody is told about messages.
    var events: Events?
    var limits: Limits
    var rooms: Rooms
    var presence: Presence
    /// nil: no chat page.
    var page: Page?

    struct Listening: Equatable, Sendable {
        var host: String
        var port: Int
        var internalListener: InternalListener?
        var tls: TLSPaths?
        var origins: OriginPolicy
        var trustedProxies: TrustedProxies
        var eventLoops: Int
    }

    struct InternalListener: Equatable, Sendable {
        var host: String
        var port: Int
        var authentication: InternalAuthentication
    }

    struct TLSPaths: Equatable, Sendable {
        var certificate: String
        var key: String
    }

    struct Logging: Equatable, Sendable {
        var level: LogLevel
        var format: LogFormat
        var directory: String?
    }

    struct Authentication: Equatable, Sendable {
        var mode: AuthenticationMode
        /// Whether trusted mode was asked for by name; otherwise it is the want of a key.
        var isTrustedOnPurpose: Bool
        var secret: Secret?
        var publicKeyFile: String?
        var keySetFile: String?
        var issuer: String?
        var audience: String?
        /// Seconds that minted tokens live.
        var tokenLifetime: Int
        var serviceKey: Secret?

        var hasKey: Bool { secret != nil || publicKeyFile != nil || keySetFile != nil }
    }

    enum Store: Equatable, Sendable {
        case embedded(directory: String)
        case mongo(uri: Secret)

        /// What deployments on one Redis server are told apart by.
        var name: String {
            switch self {
            case .embedded: "embedded"
            case .mongo(let uri): MongoURI(uri.text).database
            }
        }
    }

    struct Events: Equatable, Sendable {
        var broker: ServerURL
        var newMessageQueue: String
        var presenceQueue: String?
        var mode: EventMode
    }

    /// A limit that is nil does not apply.
    struct Limits: Equatable, Sendable {
        var connections: Int?
        var connectionsPerUser: Int?
        var messageBytes: Int
        var frameBytes: Int
        /// Messages a second and user.
        var messageRate: Int?
        /// New connections a second and address.
        var connectionRate: Int?
        /// Bytes waiting for one client past which it is closed.
        var outputQueueBytes: Int
        /// Bytes waiting past which what may be lost is dropped.
        var outputQueueSoftBytes: Int { outputQueueBytes / 2 }
    }

    struct Rooms: Equatable, Sendable {
        var createsOnJoin: Bool
        var maximumParticipants: Int
        /// Messages of a room that the cache holds.
        var cachedMessages: Int
        /// Seconds that the cache keeps a quiet room.
        var cacheLifetime: Int
    }

    struct Presence: Equatable, Sendable {
        var visibility: PresenceVisibility
        /// Milliseconds.
        var grace: Int
        /// Milliseconds without activity; nil: nobody is made away.
        var awayAfter: Int?
        var isPublic: Bool
    }

    struct Page: Equatable, Sendable {
        var directory: String
        var socketIOClientFile: String?
    }
}
