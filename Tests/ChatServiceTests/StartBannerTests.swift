import Testing

@testable import ChatService

@Suite struct StartBannerTests {
    @Test func trustedModeIsAWarning() throws {
        let unasked = StartBanner.warnings(try load().configuration)
        #expect(
            unasked.count == 1 && unasked[0].message.hasPrefix("TRUSTED MODE")
                && unasked[0].message.contains("loopback"))
        let chosen = StartBanner.warnings(try load(["AUTH_MODE": "trusted"]).configuration)
        #expect(chosen.count == 1 && chosen[0].message.hasSuffix(", on every address of this machine"))
        for (host, reach) in [
            ("127.0.0.1", "from this machine only (HOST=127.0.0.1)"), ("10.0.0.5", "on HOST=10.0.0.5"),
        ] {
            let bounded = StartBanner.warnings(try load(["AUTH_MODE": "trusted", "HOST": host]).configuration)
            #expect(bounded.count == 1 && bounded[0].message.hasSuffix(", \(reach)"))
        }
        #expect(StartBanner.warnings(try load(["JWT_SECRET": secret]).configuration) == [])
    }

    @Test func namesTheMainSettings() throws {
        let configuration = try load([
            "JWT_SECRET": secret, "REDIS_URL": "redis://cache/2", "MONGODB_URI": "mongodb://db",
            "RABBITMQ_URL": "amqp://mq",
            "ENVIRONMENT": "staging", "HOST": "::", "INTERNAL_PORT": "4000", "SERVICE_API_KEY": serviceKey,
        ]).configuration
        let facts = Dictionary(uniqueKeysWithValues: StartBanner.facts(configuration).map { ($0.name, $0.value) })
        #expect(
            facts == [
                "version": Version.current, "environment": "staging", "instance": "i1", "listening": "http://[::]:5004",
                "auth": "token (shared key)", "store": "MongoDB", "bus": "Redis at cache:6379/2",
                "events": "RabbitMQ at mq, queue new_message, one per recipient", "webhooks": "off",
                "files": "MongoDB", "page": "off",
                "internal": "port 4000",
            ])
    }
}
