import Gateway
import MessagingOutbox
import MessagingRabbitMQ
import MessagingWebhooks
import RedisLink
import Telemetry

/// The declarations of all variables that the service reads.
enum Variables {
    static let port = Variable(
        "PORT", .listening, .integer(1...65_535), default: "5004",
        "Port of the public listener: Socket.IO, WebSocket, REST and the chat page.")
    static let host = Variable(
        "HOST", .listening, .listenAddress,
        unset: "127.0.0.1 when trusted mode is the default, else 0.0.0.0", "Address to listen on.")
    static let internalPort = Variable(
        "INTERNAL_PORT", .listening, .integer(1...65_535), unset: "off",
        "Port of the internal Socket.IO listener for other services (4000 by custom).")
    static let internalHost = Variable(
        "INTERNAL_HOST", .listening, .listenAddress, unset: "HOST",
        "Address the internal listener listens on: that of a network that only services can reach.")
    static let tlsCertificate = Variable(
        "TLS_CERT_FILE", .listening, .readableFile, unset: "no TLS",
        "Certificate chain (PEM); with it and TLS_KEY_FILE both listeners speak TLS. Read again on SIGHUP.")
    static let tlsKey = Variable(
        "TLS_KEY_FILE", .listening, .readableFile, unset: "no TLS",
        "Private key (PEM) of the certificate. Read again on SIGHUP.")
    static let corsOrigin = Variable(
        "CORS_ORIGIN", .listening, .origins, unset: "same origin only",
        "Origins whose pages and apps may call, by CORS and by WebSocket handshake; null only under *. Read again on SIGHUP."
    )
    static let trustedProxies = Variable(
        "TRUSTED_PROXIES", .listening, .networks, unset: "none",
        "Proxies whose X-Forwarded-For, or else Forwarded, is accepted; they must not pass on a client's own."
    )
    static let eventLoops = Variable(
        "EVENT_LOOPS", .listening, .integer(1...256), unset: "the number of cores", "Threads that serve connections.")

    static let configurationFile = Variable(
        "CONFIG_FILE", .process, .readableFile, unset: ".env in the working directory, where there is one",
        "File with variables, which the environment beats. Read again on SIGHUP. Counts only in the environment.")
    static let environment = Variable(
        "ENVIRONMENT", .process, .name(upTo: 64), unset: "NODE_ENV, else none",
        "Name of the deployment (production, staging …), shown at start.")
    static let nodeEnvironment = Variable(
        "NODE_ENV", .process, .name(upTo: 64), unset: "none", "Another name for ENVIRONMENT, for existing deployments.")
    static let instanceID = Variable(
        "INSTANCE_ID", .process, .instanceID, unset: "random at each start",
        "Name of this process in session ids and leases; no two live ones may share it.")
    static let deploymentID = Variable(
        "DEPLOYMENT_ID", .process, .deploymentID, unset: "the Redis database's number and the store's name",
        "Name that instances of one deployment share; publications of other deployments on the Redis server are dropped."
    )
    static let shutdownGrace = Variable(
        "SHUTDOWN_GRACE_MS", .process, .milliseconds(0...600_000), default: "10000",
        "Milliseconds that a drain after SIGTERM may take before the remaining connections are closed.")
    static let logLevel = Variable(
        "LOG_LEVEL", .process, .logLevel, default: "info", "Least important level that is logged. Read again on SIGHUP."
    )
    static let logFormat = Variable(
        "LOG_FORMAT", .process, ValueType<LogFormatChoice>.choice(), unset: "pretty on a terminal, else json",
        "Log lines for people or for a collector.")
    static let logDirectory = Variable(
        "LOG_DIR", .process, .writableDirectory, unset: "standard error only",
        "Directory for log files beside standard error: 8 files of 16 MiB, rotated.")

    static let tracesEndpoint = Variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT", .process, .webURL, unset: "no traces are exported",
        "Collector that traces are sent to, over OTLP/HTTP: its base address, as http://collector:4318.")
    static let tracesHeaders = Variable(
        "OTEL_EXPORTER_OTLP_HEADERS", .process, .headerFields, unset: "none", sensitivity: .secret,
        "Header fields of requests to the collector, as name=value with commas between; values percent-encoded.")
    static let tracesServiceName = Variable(
        "OTEL_SERVICE_NAME", .process, .name(upTo: 64), default: "chat-service", "Name of the service in traces.")
    static let tracesRatio = Variable(
        "OTEL_TRACES_SAMPLER_ARG", .process, .ratio, default: "1",
        "Share of messages that are traced although no caller asks for it. A caller's traceparent always decides.")

    static let authMode = Variable(
        "AUTH_MODE", .identity, ValueType<AuthenticationMode>.choice(),
        unset: "token once a key is configured, else trusted",
        "token: callers need a verified token; trusted: claimed user ids are accepted.")
    static let jwtSecret = Variable(
        "JWT_SECRET", .identity, .secret, unset: "no shared key", sensitivity: .secret,
        "Key of HS256, HS384 and HS512 tokens; AUTH_MODE=token needs 32 bytes or more.")
    static let jwtPublicKeyFile = Variable(
        "JWT_PUBLIC_KEY_FILE", .identity, .readableFile, unset: "no public key",
        "Public key (PEM) of RS256, PS256, ES256 or EdDSA tokens. Read again on SIGHUP.")
    static let jwtJWKSFile = Variable(
        "JWT_JWKS_FILE", .identity, .readableFile, unset: "no key set",
        "JSON Web Key Set with the keys that tokens may be signed by. Read again on SIGHUP.")
    static let jwtJWKSURL = Variable(
        "JWT_JWKS_URL", .identity, .webURL, unset: "no key set is fetched",
        "URL of a JSON Web Key Set with the keys that tokens may be signed by. Fetched again every few minutes.")
    static let oidcIssuer = Variable(
        "OIDC_ISSUER", .identity, .webURL, unset: "no key set is fetched",
        "OpenID Connect issuer whose configuration names its key set; in place of JWT_JWKS_URL.")
    static let authGRPCURL = Variable(
        "AUTH_GRPC_URL", .identity, .grpcURL, unset: "no service is asked",
        "Auth Service that verifies the tokens for which no key is here (proto/auth.proto).")
    static let authGRPCMethod = Variable(
        "AUTH_GRPC_METHOD", .identity, .grpcMethod, default: "/auth.AuthService/ValidateToken",
        "Method of the Auth Service.")
    static let authCAFile = Variable(
        "AUTH_CA_FILE", .identity, .readableFile, unset: "the system's",
        "Certificates (PEM) that JWT_JWKS_URL, OIDC_ISSUER and AUTH_GRPC_URL may be certified by.")
    static let jwtIssuer = Variable(
        "JWT_ISSUER", .identity, .text, unset: "OIDC_ISSUER, else not checked", "Issuer (iss) that tokens must name.")
    static let jwtAudience = Variable(
        "JWT_AUDIENCE", .identity, .text, unset: "not checked", "Audience (aud) that tokens must name.")
    static let jwtExpiration = Variable(
        "JWT_EXPIRATION", .identity, .withUnit, default: "24h", "Lifetime of tokens made by `chat-service token mint`.")
    static let serviceKey = Variable(
        "SERVICE_API_KEY", .identity, .serviceKey, unset: "no service may call", sensitivity: .secret,
        "Key that other services send as X-Service-Key.")
    static let internalAuth = Variable(
        "INTERNAL_AUTH", .identity, ValueType<InternalAuthentication>.choice(), default: "key",
        "Whether the internal listener asks for the service key.")

    static let dataDirectory = Variable(
        "DATA_DIR", .storage, .writableDirectory, default: "./data",
        "Directory of the embedded store; made when missing.")
    static let commitSpacing = Variable(
        "COMMIT_SPACING_US", .storage, .microseconds(0...100_000), default: "800",
        "Microseconds between the starts of two commits of the embedded store under load. More takes less processor time, and messages wait longer."
    )
    static let mongoURI = Variable(
        "MONGODB_URI", .storage, .mongoURI, unset: "the embedded store in DATA_DIR", sensitivity: .credentials,
        "MongoDB deployment that keeps messages and rooms.")
    static let redisURL = Variable(
        "REDIS_URL", .storage, .redisURL, unset: "REDIS_HOST, else one instance by itself", sensitivity: .credentials,
        "Redis through which instances meet: a server, the sentinels that name it, or nodes of a cluster.")
    static let redisHost = Variable(
        "REDIS_HOST", .storage, .name(upTo: 253), unset: "one instance by itself",
        "Redis server, where REDIS_URL is not set.")
    static let redisPort = Variable(
        "REDIS_PORT", .storage, .integer(1...65_535), default: "6379", "Port for REDIS_HOST.")
    static let redisPassword = Variable(
        "REDIS_PASSWORD", .storage, .secret, unset: "none", sensitivity: .secret, "Password for REDIS_HOST.")
    static let rabbitURL = Variable(
        "RABBITMQ_URL", .storage, .amqpURLs, unset: "no events", sensitivity: .credentials,
        "RabbitMQ broker that gets an event for every message; of several hosts, the first that can be used.")
    static let newMessageQueue = Variable(
        "RABBITMQ_QUEUE_NEW_MESSAGE", .storage, .name(upTo: 255), default: "new_message", "Queue of message events.")
    static let changesQueue = Variable(
        "RABBITMQ_QUEUE_MESSAGE_CHANGES", .storage, .name(upTo: 255), unset: "no events of changes",
        "Queue of events of edits, deletions and reactions.")
    static let presenceQueue = Variable(
        "RABBITMQ_QUEUE_PRESENCE", .storage, .name(upTo: 255), unset: "no presence events",
        "Queue of online and offline events.")
    static let queueType = Variable(
        "RABBITMQ_QUEUE_TYPE", .storage, ValueType<RabbitMQQueue.Kind>.choice(), default: "classic",
        "Type of queues that do not exist yet; an existing queue is used as it is.")
    static let eventMode = Variable(
        "RABBITMQ_EVENT_MODE", .storage, ValueType<EventMode>.choice(), default: "recipient",
        "One event for each recipient, or one for each message.")

    static let webhookURL = Variable(
        "WEBHOOK_URL", .webhooks, .webURLs, unset: "no webhooks", sensitivity: .secret,
        "Receivers of events over HTTP. Hidden, because paths of receivers often hold a key.")
    static let webhookSecret = Variable(
        "WEBHOOK_SECRET", .webhooks, .webhookSecrets, unset: "no webhooks and no hook", sensitivity: .secret,
        "Key with which requests are signed (Standard Webhooks); of several, each gives a signature.")
    static let webhookEvents = Variable(
        "WEBHOOK_EVENTS", .webhooks, .webhookEvents, unset: "all of them", "Kinds of events that receivers get.")
    static let webhookTimeout = Variable(
        "WEBHOOK_TIMEOUT_MS", .webhooks, .milliseconds(100...60_000), default: "15000",
        "Milliseconds that one request to a receiver may take.")
    static let webhookRetries = Variable(
        "WEBHOOK_RETRIES", .webhooks, .retryDelays, unset: "5s,5m,30m,2h,5h,10h,14h,20h,24h",
        "Times between the attempts of a delivery; after the last attempt it is a dead letter.")
    static let webhookCAFile = Variable(
        "WEBHOOK_CA_FILE", .webhooks, .readableFile, unset: "the system's",
        "Certificates (PEM) that WEBHOOK_URL and HOOK_BEFORE_MESSAGE_URL may be certified by.")
    static let hookURL = Variable(
        "HOOK_BEFORE_MESSAGE_URL", .webhooks, .webURL, unset: "no hook", sensitivity: .secret,
        "Service that is asked about each text before it is stored. Hidden like WEBHOOK_URL.")
    static let hookDeadline = Variable(
        "HOOK_DEADLINE_MS", .webhooks, .milliseconds(10...10_000), default: "300",
        "Milliseconds that the hook may take for an answer.")
    static let hookFailure = Variable(
        "HOOK_FAILURE", .webhooks, ValueType<BeforeMessageHook.FailureRule>.choice(), default: "refuse",
        "What becomes of a message when the hook gives no valid answer in time.")

    static let filesStore = Variable(
        "FILES_STORE", .storage, ValueType<FilesStore>.choice(), unset: "mongodb with MONGODB_URI, else disk",
        "Where rooms' files are kept: in DATA_DIR/files, or in GridFS of the deployment of MONGODB_URI.")

    static let maximumConnections = Variable(
        "MAX_CONNECTIONS", .limits, .limit(upTo: 10_000_000), default: "0",
        "Connections of this process; without a limit, as many as its file descriptors allow.")
    static let connectionsPerUser = Variable(
        "MAX_CONNECTIONS_PER_USER", .limits, .limit(upTo: 100_000), default: "5",
        "Sessions of one user on all instances; past it the oldest is closed with 4409.")
    static let messageBytes = Variable(
        "MAX_MESSAGE_BYTES", .limits, .integer(1...16_777_216), default: "16384", "Bytes of a message's text.")
    static let frameBytes = Variable(
        "MAX_FRAME_BYTES", .limits, .integer(1024...67_108_864), default: "131072",
        "Bytes of a WebSocket message, Engine.IO packet or HTTP body.")
    static let fileBytes = Variable(
        "MAX_FILE_BYTES", .limits, .integer(0...1_099_511_627_776), default: "10485760",
        "Bytes of a file in a room; with 0 rooms have no files.")
    static let messageRate = Variable(
        "RATE_LIMIT_MESSAGES", .limits, .limit(upTo: 1_000_000), default: "20",
        "Messages a second and user; bursts of three times that. Other rates follow from it: docs/operations.md. Read again on SIGHUP."
    )
    static let connectionRate = Variable(
        "RATE_LIMIT_CONNECTIONS", .limits, .limit(upTo: 1_000_000), default: "50",
        "New connections a second and address (of IPv6 a /64); bursts of four times that. Read again on SIGHUP.")
    static let outputQueueBytes = Variable(
        "OUTPUT_QUEUE_BYTES", .limits, .integer(65_536...1_073_741_824), default: "1048576",
        "Bytes that may wait for a slow client before it is closed with 4008; past half, typing and presence are dropped."
    )

    static let createOnJoin = Variable(
        "ROOM_CREATE_ON_JOIN", .rooms, .flag, default: "true", "Whether joining an unknown room makes an open one.")
    static let roomParticipants = Variable(
        "ROOM_MAX_PARTICIPANTS", .rooms, .integer(2...1_000_000), default: "5000",
        "Participants a room keeps; users who join above that limit are not recorded as participants.")
    static let editWindow = Variable(
        "EDIT_WINDOW_SECONDS", .rooms, .limit(upTo: 315_360_000), default: "0",
        "Seconds after which authors can no longer edit or delete a message.")
    static let historyMessages = Variable(
        "MAX_MESSAGE_HISTORY", .rooms, .integer(1...100_000), default: "1000", "Messages of a room that Redis holds.")
    static let historyLifetime = Variable(
        "MESSAGE_HISTORY_TTL", .rooms, .seconds(1...315_360_000), default: "604800",
        "Seconds that a quiet room's history stays in Redis.")
    static let retentionDays = Variable(
        "MESSAGE_RETENTION_DAYS", .rooms, .integer(0...36_500), default: "0",
        "Days after which messages lose their text; 0 keeps them for ever.")

    static let presenceVisibility = Variable(
        "PRESENCE_VISIBILITY", .presence, ValueType<PresenceVisibility>.choice(), default: "everyone",
        "Whose presence a user may see: that of every user, or that of friends.")
    static let presenceGrace = Variable(
        "PRESENCE_GRACE_MS", .presence, .milliseconds(0...600_000), default: "5000",
        "Milliseconds between a user's last disconnect and the announcement that the user is offline.")
    static let presenceAwayAfter = Variable(
        "PRESENCE_AWAY_AFTER_MS", .presence, .milliseconds(upTo: 86_400_000), default: "300000",
        "Milliseconds without activity after which an online user is shown as away.")
    static let presenceIsPublic = Variable(
        "PRESENCE_PUBLIC", .presence, .flag, default: "false",
        "Whether /online-status and /api/online-users answer callers without a token.")

    static let serveClient = Variable(
        "SERVE_CLIENT", .page, .flag, unset: "true in trusted mode, else false", "Whether the chat page is served at /."
    )
    static let clientDirectory = Variable(
        "CLIENT_DIR", .page, .readableDirectory, unset: "client-example beside the working directory or the executable",
        "Directory of the chat page. The files of ../sdk/js, seen from there, are served at /client/sdk/.")
    static let socketIOClientFile = Variable(
        "SOCKETIO_CLIENT_FILE", .page, .readableFile, unset: "not served",
        "A socket.io.min.js to serve at /client/vendor/socket.io.min.js.")

    static let admin = Variable(
        "ADMIN", .admin, .flag, unset: "true where HOST is a loopback address, else false",
        "Whether the page for operators is served at /admin, and administrators' tokens are taken.")
    static let adminRole = Variable(
        "ADMIN_ROLE", .admin, .name(upTo: 128), unset: "no token makes an administrator",
        "Role that a token's `roles` must hold for its user to act as a service, with the field X-Admin: true.")
    static let adminDirectory = Variable(
        "ADMIN_DIR", .admin, .readableDirectory, unset: "admin-page beside the working directory or the executable",
        "Directory of the page for operators.")
    static let auditDays = Variable(
        "AUDIT_RETENTION_DAYS", .admin, .integer(1...36_500), default: "365",
        "Days after which entries of the audit trail are removed.")
    static let auditEntries = Variable(
        "AUDIT_MAX_ENTRIES", .admin, .integer(100...10_000_000), default: "100000",
        "Entries of the audit trail at most; the oldest are removed.")

    /// All of them, in the order of the reference page.
    static let all: [any AnyVariable] = [
        port, host, internalPort, internalHost, tlsCertificate, tlsKey, corsOrigin, trustedProxies, eventLoops,
        configurationFile, environment, nodeEnvironment, instanceID, deploymentID, shutdownGrace, logLevel, logFormat,
        logDirectory, tracesEndpoint, tracesHeaders, tracesServiceName, tracesRatio,
        authMode, jwtSecret, jwtPublicKeyFile, jwtJWKSFile, jwtJWKSURL, oidcIssuer, authGRPCURL,
        authGRPCMethod, authCAFile, jwtIssuer, jwtAudience, jwtExpiration, serviceKey,
        internalAuth,
        dataDirectory, commitSpacing, mongoURI, redisURL, redisHost, redisPort, redisPassword,
        rabbitURL, newMessageQueue, changesQueue, presenceQueue, queueType, eventMode, filesStore,
        webhookURL, webhookSecret, webhookEvents, webhookTimeout, webhookRetries, webhookCAFile,
        hookURL, hookDeadline, hookFailure,
        maximumConnections, connectionsPerUser, messageBytes, frameBytes, fileBytes, messageRate, connectionRate,
        outputQueueBytes,
        createOnJoin, roomParticipants, editWindow, historyMessages, historyLifetime, retentionDays,
        presenceVisibility, presenceGrace, presenceAwayAfter, presenceIsPublic,
        serveClient, clientDirectory, socketIOClientFile,
        admin, adminRole, adminDirectory, auditDays, auditEntries,
    ]
}

extension ValueType<LogLevel> {
    static let logLevel = Self(allowed: LogLevel.allCases.map(\.name).joined(separator: ", ")) { text in
        LogLevel(name: text.lowercased() == "warn" ? "warning" : text.lowercased())
    }
}
