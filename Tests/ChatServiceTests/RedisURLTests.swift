import Crypto
import RedisLink
import Telemetry
import Testing

@testable import ChatService

/// REDIS_URL in its forms.
@Suite struct RedisURLTests {
    @Test func sentinelsAreNamedWithThePrimary() throws {
        let deployment = RedisDeployment(url: "redis+sentinel://u:p%40@one,[fd00::1]:5000,three:26380/chat.main_1/4")
        let access = RedisAccess(user: "u", password: "p@", database: 4)
        #expect(
            deployment
                == .sentinel(
                    RedisSentinels(
                        sentinels: [
                            RedisAddress(host: "one", port: 26_379), RedisAddress(host: "fd00::1", port: 5000),
                            RedisAddress(host: "three", port: 26_380),
                        ], primaryName: "chat.main_1", access: access)))
        #expect(
            deployment.map { "\($0)" }
                == "chat.main_1/4 of the sentinels one:26379, [fd00::1]:5000, three:26380")
        #expect(RedisDeployment(url: "redis+sentinel://one/chat")?.access.database == 0)
    }

    @Test func sentinelsHaveCredentialsOfTheirOwn() throws {
        let url = "rediss+sentinel://:p@one/chat?sentinel_user=reader&sentinel_password=a%2Cb&cacertfile=/etc/ca.pem"
        guard case .sentinel(let sentinels) = RedisDeployment(url: url) else {
            Issue.record("not read")
            return
        }
        let trust = TLSClientContext.Trust.authorities(file: "/etc/ca.pem")
        #expect(sentinels.sentinelAccess == RedisAccess(user: "reader", password: "a,b", tls: trust))
        #expect(sentinels.access == RedisAccess(password: "p", tls: trust))
        var shown = "\(sentinels)\(RedisDeployment.sentinel(sentinels))\(String(reflecting: sentinels))"
        dump(sentinels, to: &shown)
        #expect(!shown.contains("a,b") && !shown.contains("\"p\""))
        #expect(
            Redaction.redacting(url)
                == "rediss+sentinel://[redacted]@one/chat?sentinel_user=reader&sentinel_password=[redacted]"
                + "&cacertfile=/etc/ca.pem")
    }

    @Test func nodesOfAClusterShareCredentials() throws {
        let deployment = RedisDeployment(url: "rediss+cluster://u:p@one,[fd00::1]:7001?cacertfile=/ca.pem")
        let nodes = [RedisAddress(host: "one", port: 6379), RedisAddress(host: "fd00::1", port: 7001)]
        #expect(
            deployment
                == .cluster(nodes, RedisAccess(user: "u", password: "p", tls: .authorities(file: "/ca.pem"))))
        #expect(deployment.map { "\($0)" } == "one:6379, [fd00::1]:7001, a cluster, over TLS")
        #expect(RedisDeployment(url: "redis+cluster://one/0") == .cluster([nodes[0]], RedisAccess()))
    }

    @Test func aFileMayNameTheAuthorities() {
        #expect(
            RedisDeployment(url: "rediss://h?cacertfile=/ca.pem")
                == .single(RedisEndpoint(host: "h", tls: .authorities(file: "/ca.pem"))))
        #expect(RedisDeployment(url: "rediss://h") == .single(RedisEndpoint(host: "h", tls: .system)))
    }

    @Test(arguments: [
        "redis+sentinel://h", "redis+sentinel://h/", "redis+sentinel://h//1", "redis+sentinel://h/a b",
        "redis+sentinel://h/n/x", "redis+sentinel://h/n/-1", "redis+sentinel://h/n/1/2", "redis+sentinel:///n",
        "redis+sentinel://h,/n", "redis+sentinel://u:p@h,u:p@i/n", "redis+sentinel://h/n?sentinel_user=u",
        "redis+sentinel://h/n?sentinel_pasword=p", "redis+sentinel://h/n?sentinel_password=a,b",
        "redis+sentinel://h/n?sentinel_password=a'b", "redis+sentinel://h/n?sentinel_password=",
        "redis+sentinel://h:0/n", "sentinel://h/n", "redis://one,two", "redis://h?cacert=x",
        "redis://h?sentinel_user=u", "redis+cluster://", "redis+cluster://h/1", "redis+cluster://h/x",
        "redis+cluster://h,", "redis+cluster://h:0", "redis+cluster://h?sentinel_user=u", "redis+clusters://h",
    ])
    func whatCannotBeReadIsRefused(_ url: String) { #expect(RedisDeployment(url: url) == nil) }

    @Test func theNumberOfSentinelsIsBounded() {
        func url(_ count: Int) -> String { "redis+sentinel://\((1...count).map { "h\($0)" }.joined(separator: ","))/n" }
        #expect(RedisDeployment(url: url(16)) != nil && RedisDeployment(url: url(17)) == nil)
    }
}
