import ChatDomain
import Crypto
import Gateway
import IdentityProviders
import MessagingOutbox
import RedisLink
import Telemetry
import Testing

@testable import ChatService

/// As short as they may be.
let secret = String(repeating: "k", count: 32)
let serviceKey = String(repeating: "s", count: 16)

let facts = SystemFacts(
    cores: 4, instance: InstanceID("i1"), isTerminal: false, clientDirectory: "/page", adminDirectory: "/admin-page")

func load(_ environment: [String: String] = [:], file: String? = nil) throws(InvalidConfiguration)
    -> LoadedConfiguration
{
    try Configuration.load(environment: environment, file: file, system: facts)
}

func problems(_ environment: [String: String], file: String? = nil) -> [String] {
    do throws(InvalidConfiguration) {
        _ = try load(environment, file: file)
        return []
    } catch {
        return error.problems
    }
}

@Suite struct ConfigurationTests {
    @Test func defaultsAreOneInstanceInTrustedModeOnLoopback() throws {
        let configuration = try load().configuration
        let expected = Configuration(
            instance: InstanceID("i1"), deployment: DeploymentID(redisDatabase: 0, store: "embedded"),
            environment: nil, shutdownGrace: .seconds(10),
            listening: .init(
                host: "127.0.0.1", port: 5004, internalListener: nil, tls: nil, origins: .sameOrigin,
                trustedProxies: TrustedProxies(), eventLoops: 4),
            logging: .init(level: .info, format: .json, directory: nil),
            authentication: .init(
                mode: .trusted, isTrustedOnPurpose: false, secret: nil, publicKeyFile: nil, keySetFile: nil,
                issuer: nil,
                audience: nil, tokenLifetime: .seconds(86_400), serviceKey: nil),
            store: .embedded(directory: "./data"), dataDirectory: "./data", commitSpacing: .microseconds(800),
            redis: nil, events: nil,
            webhooks: .init(),
            limits: .init(
                connections: nil, connectionsPerUser: 5, messageBytes: 16_384, frameBytes: 131_072, messageRate: 20,
                connectionRate: 50, outputQueueBytes: 1_048_576),
            rooms: .init(
                createsOnJoin: true, maximumParticipants: 5000, cachedMessages: 1000, cacheLifetime: .seconds(604_800),
                retentionDays: 0),
            presence: .init(visibility: .everyone, gracePeriod: .seconds(5), awayAfter: .seconds(300), isPublic: false),
            files: .init(maximumBytes: 10_485_760, store: .disk),
            page: .init(directory: "/page", socketIOClientFile: nil),
            management: .init(pageDirectory: "/admin-page", role: nil, auditDays: 365, auditEntries: 100_000))
        #expect(configuration == expected)
        #expect(configuration.limits.outputQueueSoftBytes == 524_288)
    }

    @Test func thePageForOperatorsIsServedWhereItIsWantedOrOnLoopback() throws {
        func management(_ environment: [String: String]) throws -> Configuration.Management {
            try load(["AUTH_MODE": "trusted", "ADMIN_ROLE": "boss"].merging(environment) { $1 }).configuration
                .management
        }
        #expect(try management(["HOST": "::1"]).pageDirectory == "/admin-page")
        #expect(try management(["HOST": "0.0.0.0"]).pageDirectory == nil)
        #expect(try management(["HOST": "0.0.0.0"]).role == nil)
        #expect(try management(["HOST": "0.0.0.0", "ADMIN": "on"]).role == "boss")
        #expect(try management(["HOST": "127.0.0.1", "ADMIN": "off"]).pageDirectory == nil)
        #expect(problems(["ADMIN": "maybe"]).first?.hasPrefix("ADMIN=maybe") == true)
        #expect(problems(["AUDIT_MAX_ENTRIES": "5"]).count == 1 && problems(["AUDIT_RETENTION_DAYS": "0"]).count == 1)
    }

    @Test func aKeyMakesTokenModeTheDefault() throws {
        let configuration = try load(["JWT_SECRET": String(repeating: "k", count: 32)]).configuration
        #expect(configuration.authentication.mode == .token && configuration.authentication.hasKey)
        #expect(configuration.listening.host == "0.0.0.0")
        #expect(configuration.page == nil)
    }

    @Test func trustedModeListensElsewhereOnlyWhenSet() throws {
        #expect(try load(["AUTH_MODE": "trusted"]).configuration.listening.host == "0.0.0.0")
        #expect(try load(["HOST": "127.0.0.5"]).configuration.listening.host == "127.0.0.5")
        #expect(try load(["HOST": "localhost"]).configuration.listening.host == "127.0.0.1")
        #expect(problems(["HOST": "0.0.0.0"]).count == 1)
        #expect(problems(["HOST": "0.0.0.0", "AUTH_MODE": "trusted"]) == [])
        #expect(problems(["HOST": "0.0.0.0", "JWT_SECRET": secret]) == [])
    }

    @Test func theEnvironmentPrecedesTheFileAndEmptyMeansUnset() throws {
        let file = "PORT=6000\nLOG_LEVEL=debug\nMAX_FRAME_BYTES=\n"
        let loaded = try load(["PORT": " 7000 ", "LOG_LEVEL": ""], file: file)
        #expect(loaded.configuration.listening.port == 7000)
        #expect(loaded.configuration.logging.level == .debug)
        #expect(loaded.configuration.limits.frameBytes == 131_072)
        let sources = Dictionary(uniqueKeysWithValues: loaded.settings.map { ($0.name, $0.source) })
        #expect(sources["PORT"] == .environment && sources["LOG_LEVEL"] == .file && sources["HOST"] == .fallback)
    }

    @Test func everyProblemIsReportedWithNameValueAndAllowedValues() {
        let found = problems(
            [
                "PORT": "70000", "AUTH_MODE": "maybe", "TLS_CERT_FILE": "/nowhere.pem", "RATE_LIMIT_MESSAGES": "-1",
                "REDIS_URL": "http://:hunter2@x",
            ], file: "nonsense")
        #expect(found.contains(".env, line 1: = is missing behind the name"))
        #expect(found.contains("PORT=70000 is not allowed; allowed: an integer from 1 to 65535"))
        #expect(found.contains("AUTH_MODE=maybe is not allowed; allowed: token, trusted"))
        #expect(found.contains("TLS_CERT_FILE=/nowhere.pem is not allowed; allowed: the path of a readable file"))
        #expect(found.contains("TLS_CERT_FILE and TLS_KEY_FILE go together: one of them is not set"))
        #expect(
            found.contains(
                "RATE_LIMIT_MESSAGES=-1 is not allowed; allowed: an integer from 1 to 1000000, or 0 for no limit"))
        #expect(found.count == 7)
        #expect(!found.joined().contains("hunter2"))
    }

    @Test func zeroTurnsLimitsOff() throws {
        let limits = try load([
            "RATE_LIMIT_MESSAGES": "0", "RATE_LIMIT_CONNECTIONS": "0", "MAX_CONNECTIONS_PER_USER": "0",
            "MAX_CONNECTIONS": "9",
        ]).configuration.limits
        #expect(limits.messageRate == nil && limits.connectionRate == nil && limits.connectionsPerUser == nil)
        #expect(limits.connections == 9)
    }

    @Test func serversComeFromURLsOrParts() throws {
        let one = try load([
            "REDIS_HOST": "cache", "REDIS_PORT": "6380", "REDIS_PASSWORD": " p ",
            "MONGODB_URI": "mongodb://a,b:27018/chat",
            "RABBITMQ_URL": "amqps://u:p%40@mq/v%2F1", "RABBITMQ_EVENT_MODE": "message",
        ]).configuration
        #expect(one.redis == .single(RedisEndpoint(host: "cache", port: 6380, password: " p ")))
        #expect(one.store == .mongo(uri: Secret("mongodb://a,b:27018/chat")))
        #expect(one.events?.brokers.first?.password == Secret("p@") && one.events?.brokers.first?.path == "v/1")
        #expect(one.events?.mode == .message && one.events?.newMessageQueue == "new_message")
        let loaded = try load(["REDIS_URL": "rediss://me:pw@[::1]/3", "REDIS_HOST": "other"])
        #expect(
            loaded.configuration.redis
                == .single(
                    RedisEndpoint(host: "::1", port: 6379, user: "me", password: "pw", database: 3, tls: .system)))
        #expect(loaded.warnings == ["REDIS_HOST is ignored, since REDIS_URL is set"])
    }

    @Test func theInternalListenerNeedsAKey() throws {
        #expect(problems(["INTERNAL_PORT": "4000"]).count == 1)
        #expect(
            problems(["INTERNAL_PORT": "5004", "SERVICE_API_KEY": serviceKey]) == [
                "INTERNAL_PORT must differ from PORT (5004)"
            ])
        let keyed = try load(["INTERNAL_PORT": "4000", "SERVICE_API_KEY": serviceKey]).configuration.listening
        #expect(keyed.internalListener == .init(host: "127.0.0.1", port: 4000, authentication: .key))
        let open = try load(["INTERNAL_PORT": "4000", "INTERNAL_AUTH": "none", "INTERNAL_HOST": "10.0.0.1"])
        #expect(
            open.configuration.listening.internalListener
                == .init(host: "10.0.0.1", port: 4000, authentication: .open))
        #expect(StartBanner.facts(open.configuration).contains { $0 == ("internal", "port 4000 on 10.0.0.1") })
    }

    @Test func aServiceKeyThatCanBeGuessedIsRefused() {
        #expect(
            problems(["SERVICE_API_KEY": String(repeating: "k", count: 15)]) == [
                "SERVICE_API_KEY=[redacted] is not allowed; allowed: a text of at least 16 bytes, which is never shown"
            ])
        #expect(problems(["SERVICE_API_KEY": String(repeating: "k", count: 16)]) == [])
        #expect(problems(["SERVICE_API_KEY": "short", "INTERNAL_PORT": "4000"]).count == 1)
    }

    @Test func settingsThatContradictEachOtherAreRefused() {
        #expect(
            problems(["AUTH_MODE": "token"]) == [
                "AUTH_MODE=token needs one of JWT_SECRET, JWT_PUBLIC_KEY_FILE, JWT_JWKS_FILE, JWT_JWKS_URL, OIDC_ISSUER, AUTH_GRPC_URL"
            ])
        #expect(problems(["MAX_MESSAGE_BYTES": "200000"]).count == 1)
        // One unreadable key file is one problem, not another about HOST or AUTH_MODE.
        #expect(problems(["JWT_PUBLIC_KEY_FILE": "/nowhere", "HOST": "0.0.0.0"]).count == 1)
    }

    @Test func otherServersMayVerifyTokens() throws {
        let service = try load(["AUTH_GRPC_URL": "grpc://auth"])
        #expect(service.configuration.authentication.authService == "http://auth:50051/auth.AuthService/ValidateToken")
        #expect(service.configuration.authentication.mode == .token)
        let secure = try load(["AUTH_GRPC_URL": "grpcs://[::1]:443", "AUTH_GRPC_METHOD": "/a.v1.B/C"]).configuration
        #expect(secure.authentication.authService == "https://[::1]:443/a.v1.B/C")
        #expect(StartBanner.facts(secure).contains { $0 == ("auth", "token (Auth Service at [::1]:443)") })
        let issuer = try load(["OIDC_ISSUER": "https://id.example.com/t", "JWT_AUDIENCE": "chat"])
        #expect(issuer.warnings == [] && issuer.configuration.authentication.issuer == "https://id.example.com/t")
        #expect(issuer.configuration.authentication.keySet == .issuer("https://id.example.com/t"))
        let plain = try load(["JWT_JWKS_URL": "http://id.example.com/keys", "JWT_ISSUER": "i"])
        #expect(plain.warnings.count == 1 && plain.configuration.authentication.issuer == "i")
        #expect(try load(["JWT_JWKS_URL": "http://127.0.0.1:1/keys"]).warnings == [])
        #expect(try load(["OIDC_ISSUER": "https://id.example.com"]).warnings.count == 1)
    }

    @Test(arguments: [
        ("AUTH_GRPC_URL", "auth:50051"), ("AUTH_GRPC_URL", "http://auth:50051"), ("AUTH_GRPC_URL", "grpc://u:p@auth"),
        ("AUTH_GRPC_URL", "grpc://auth/path"), ("AUTH_GRPC_URL", "grpc://"), ("AUTH_GRPC_METHOD", "ValidateToken"),
        ("AUTH_GRPC_METHOD", "/a/b/c"), ("AUTH_GRPC_METHOD", "/a.B/"), ("AUTH_GRPC_METHOD", "/a.B/C?x"),
        ("JWT_JWKS_URL", "file:///etc/passwd"), ("JWT_JWKS_URL", "https://u:p@id.example.com/"),
        ("JWT_JWKS_URL", "https://"), ("OIDC_ISSUER", "id.example.com"), ("AUTH_CA_FILE", "/nowhere"),
    ])
    func unusableAddressesOfServersAreRefused(name: String, value: String) {
        #expect(problems([name: value]).count == 1)
    }

    @Test func oneSourceOfAKeySetIsEnough() {
        let both = ["JWT_JWKS_URL": "https://a.example/keys", "OIDC_ISSUER": "https://a.example"]
        #expect(problems(both) == ["JWT_JWKS_URL and OIDC_ISSUER name the same thing; set one of them"])
    }

    @Test func probableMisspellingsAreReported() throws {
        let warnings = try load(
            ["JWT_PUBLIC_KEY": "x", "MONGO_URI": "x", "PATH": "/bin", "HOME": "/", "SSL_CERT_FILE": "x"],
            file: "PROT=1\nFOO=2\n"
        ).warnings
        #expect(
            warnings == [
                "JWT_PUBLIC_KEY is not a variable of this service; did you mean JWT_PUBLIC_KEY_FILE?",
                "MONGO_URI is not a variable of this service; did you mean MONGODB_URI?",
                "PROT is not a variable of this service; did you mean PORT?",
            ])
    }

    @Test func aShortSecretIsRefusedInTokenMode() throws {
        let short = String(repeating: "x", count: 31)
        #expect(
            problems(["JWT_SECRET": short]) == [
                "JWT_SECRET is shorter than 32 bytes and can be guessed from any token; make one with: openssl rand -hex 32"
            ])
        #expect(problems(["JWT_SECRET": short, "AUTH_MODE": "token"]).count == 1)
        #expect(try load(["JWT_SECRET": short, "AUTH_MODE": "trusted"]).warnings.count == 1)
        #expect(try load(["JWT_SECRET": String(repeating: "x", count: 32)]).warnings == [])
    }

    @Test func thePageIsServedWhenEnabledAndFound() throws {
        #expect(try load(["SERVE_CLIENT": "false"]).configuration.page == nil)
        #expect(
            try load(["SERVE_CLIENT": "on", "JWT_SECRET": secret, "CLIENT_DIR": "/tmp"]).configuration.page?.directory
                == "/tmp")
        var lost = facts
        lost.clientDirectory = nil
        #expect(try Configuration.load(environment: [:], file: nil, system: lost).configuration.page == nil)
        #expect(throws: InvalidConfiguration.self) {
            try Configuration.load(environment: ["SERVE_CLIENT": "true"], file: nil, system: lost)
        }
    }

    @Test func theDeploymentHasOneNameFromTwoVariables() throws {
        #expect(try load(["NODE_ENV": "production"]).configuration.environment == "production")
        #expect(try load(["NODE_ENV": "production", "ENVIRONMENT": "staging"]).configuration.environment == "staging")
    }

    @Test func noSecretIsShown() throws {
        let loaded = try load([
            "JWT_SECRET": "hunter2\(secret)", "SERVICE_API_KEY": "hunter2\(serviceKey)",
            "MONGODB_URI": "mongodb://u:hunter2@db/x",
            "REDIS_URL": "redis://:hunter2@cache", "RABBITMQ_URL": "amqp://u:hunter2@mq",
        ])
        let shown =
            ConfigurationText.settings(loaded) + "\(loaded.configuration)" + String(reflecting: loaded.configuration)
            + "\(StartBanner.facts(loaded.configuration))" + loaded.warnings.joined()
        #expect(!shown.contains("hunter2"))
        #expect(shown.contains("MONGODB_URI=mongodb://[redacted]@db/x  (environment)"))
    }

    /// Read in two ways, these would show a part of the password, or send it to the wrong host.
    @Test(arguments: [
        ("MONGODB_URI", "mongodb://u:hun/ter2@db/x"), ("MONGODB_URI", "mongodb://u:hun?ter2@db/x"),
        ("MONGODB_URI", "mongodb://u:hun#ter2@db/x"), ("MONGODB_URI", "mongodb://u:hun\"ter2@db/x"),
        ("MONGODB_URI", "mongodb://u:hun ter2@db/x"), ("MONGODB_URI", "mongodb://u:hun%ter2@db/x"),
        ("MONGODB_URI", "mongodb://u:hun@ter2@db/x"), ("MONGODB_URI", "mongodb://u:hunter2@db/x?tls=ter2"),
        ("MONGODB_URI", "mongodb+srv://u:hun/ter2@db"), ("MONGODB_URI", "mongodb://u:12/ter2@db"),
        ("REDIS_URL", "redis://:hun#ter2@cache"), ("REDIS_URL", "redis://u:12/ter2@cache"),
        ("REDIS_URL", "redis://u:hun\\ter2@cache"), ("RABBITMQ_URL", "amqp://u:12/ter2@mq"),
        ("RABBITMQ_URL", "amqp://u:hun#ter2@mq/"), ("RABBITMQ_URL", "amqp://u:12?ter2@mq"),
    ]) func aPasswordThatIsNotEncodedStopsTheStartUnseen(_ name: String, _ value: String) {
        let found = problems([name: value])
        #expect(found.count == 1 && found[0].hasPrefix("\(name)=[redacted] is not allowed; allowed: "))
        #expect(!found.joined().contains("ter2@") && !found.joined().contains("hun"))
    }
}
