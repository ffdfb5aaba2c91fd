import ChatDomain
import EventLoop
import Gateway
import IdentityProviders
import MessagingOutbox
import MessagingRabbitMQ
import RedisLink
import Telemetry

/// Everything an operator decides, checked and typed. `Reload` names the few values that change while the service runs.
struct Configuration: Equatable, Sendable {
    var instance: InstanceID
    /// Instances of one deployment share rooms and users.
    var deployment: DeploymentID
    /// The deployment's name, if it has one.
    var environment: String?
    /// How long a drain may take.
    var shutdownGrace: Duration
    var listening: Listening
    var logging: Logging
    /// nil: no traces are exported.
    var tracing: Tracing?
    var authentication: Authentication
    var store: Store
    /// The directory of this instance's files, whatever the store is.
    var dataDirectory: String
    /// Between the starts of two commits of the embedded store.
    var commitSpacing: Duration
    /// nil: this instance runs alone.
    var redis: RedisDeployment?
    /// nil: no events are published.
    var events: Events?
    var webhooks: Webhooks
    var limits: Limits
    var rooms: Rooms
    var presence: Presence
    /// nil: rooms have no files.
    var files: Files?
    /// nil: no chat page.
    var page: Page?
    var management: Management

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

    struct Tracing: Equatable, Sendable {
        /// The base address of the collector.
        var endpoint: String
        var headers: HeaderFields?
        var serviceName: String
        /// The share of messages without a caller's trace that are traced.
        var ratio: Double
    }

    struct Authentication: Equatable, Sendable {
        var mode: AuthenticationMode
        /// Whether AUTH_MODE names trusted mode; otherwise it is the default because no key is configured.
        var isTrustedOnPurpose: Bool
        var secret: Secret?
        var publicKeyFile: String?
        var keySetFile: String?
        /// nil: no key set is fetched.
        var keySet: KeySetLocation?
        /// The server and the method, as the URL of an HTTP/2 request; nil: no service is asked.
        var authService: String?
        /// The file of certificates that the servers of these two may be certified by; nil: the system's.
        var certificateAuthorities: String?
        var issuer: String?
        var audience: String?
        /// The lifetime of minted tokens.
        var tokenLifetime: Duration
        var serviceKey: Secret?

        /// Whether a key is configured that needs no other server.
        var hasKey: Bool { secret != nil || publicKeyFile != nil || keySetFile != nil }
    }

    enum Store: Equatable, Sendable {
        case embedded(directory: String)
        case mongo(uri: Secret)

        /// A part of the default deployment id, which distinguishes deployments on one Redis server.
        var name: String {
            switch self {
            case .embedded: "embedded"
            case .mongo(let uri): MongoURI(uri.text).database
            }
        }
    }

    struct Events: Equatable, Sendable {
        /// One broker's addresses, or several brokers; tried in this order.
        var brokers: [ServerURL]
        var newMessageQueue: String
        /// nil for no events of changes.
        var changesQueue: String?
        var presenceQueue: String?
        var queueType: RabbitMQQueue.Kind
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
        /// Bytes queued for one client above which its connection is closed.
        var outputQueueBytes: Int
        /// Bytes queued for one client above which typing and presence events are dropped.
        var outputQueueSoftBytes: Int { outputQueueBytes / 2 }
    }

    struct Rooms: Equatable, Sendable {
        var createsOnJoin: Bool
        var maximumParticipants: Int
        /// How old a message may be that its author edits or deletes; nil: any age.
        var editWindow: Duration?
        /// Messages of a room that the cache holds.
        var cachedMessages: Int
        /// How long the cache keeps a room without new messages.
        var cacheLifetime: Duration
        /// Days after which messages lose their text; 0 for never.
        var retentionDays: Int
    }

    struct Presence: Equatable, Sendable {
        var visibility: PresenceVisibility
        /// The time between a user's last disconnect and the announcement that the user is offline.
        var gracePeriod: Duration
        /// The time without activity after which a user is away; nil: never.
        var awayAfter: Duration?
        var isPublic: Bool
    }

    struct Files: Equatable, Sendable {
        /// The largest file.
        var maximumBytes: Int
        var store: FilesStore
    }

    struct Management: Equatable, Sendable {
        /// The directory of the page for operators; nil: the page is not served.
        var pageDirectory: String?
        /// The role of administrators' tokens; nil: no token makes an administrator.
        var role: String?
        var auditDays: Int
        var auditEntries: Int
    }

    struct Page: Equatable, Sendable {
        var directory: String
        var socketIOClientFile: String?
    }
}
