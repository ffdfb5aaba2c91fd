import ChatTestSupport
import Testing
import WireProtocols

@testable import Gateway

@Suite struct OriginPolicyTests {
    private func verdict(_ policy: OriginPolicy, _ fields: [String]) throws -> OriginPolicy.Verdict {
        policy.judge(try head("GET", "/", fields))
    }

    private func list(_ origins: String...) throws -> OriginPolicy {
        .list(Set(try origins.map { try #require(WebOrigin($0)) }))
    }

    @Test func aRequestWithoutAnOriginIsNotCrossSite() throws {
        for policy in [OriginPolicy.sameOrigin, .any, try list("https://a.test")] {
            #expect(try verdict(policy, []) == .notCrossSite)
        }
    }

    @Test(arguments: [
        ("http://chat.test", OriginPolicy.Verdict.notCrossSite), ("https://chat.test", .notCrossSite),
        ("https://CHAT.test", .notCrossSite), ("wss://chat.test", .notCrossSite), ("ws://chat.test:80", .notCrossSite),
        ("https://chat.test:443", .notCrossSite),
        ("https://chat.test:8443", .refused), ("https://evil.test", .refused), ("https://chat.test:80", .refused),
        ("https://chat.test.evil.test", .refused), ("capacitor://chat.test", .refused), ("file://", .refused),
        ("https://evil-chat.test", .refused), ("null", .refused), ("", .refused), ("chat.test", .refused),
        ("https://evil.test/?://chat.test", .refused), ("https://u@chat.test", .refused),
    ]) func byDefaultOnlyPagesOfTheServersOwnNameAreAdmitted(_ origin: String, _ expected: OriginPolicy.Verdict) throws
    {
        #expect(try verdict(.sameOrigin, ["Origin: \(origin)"]) == expected)
    }

    @Test(arguments: [
        ("chat.test:443", "wss://chat.test", true), ("chat.test:443", "https://chat.test", true),
        ("chat.test:443", "http://chat.test", false), ("chat.test:80", "ws://chat.test", true),
        ("chat.test:8443", "wss://chat.test:8443", true), ("chat.test:8443", "wss://chat.test", false),
        ("[::1]:5004", "http://[::1]:5004", true), ("CHAT.test:", "https://chat.test", true),
    ]) func theHostMayNameTheDefaultPort(_ host: String, _ origin: String, _ isOwn: Bool) throws {
        let verdict = try verdict(.sameOrigin, ["Host: \(host)", "Origin: \(origin)"])
        #expect(verdict == (isOwn ? .notCrossSite : .refused))
    }

    @Test func aListAdmitsItsOriginsAndTheServersOwn() throws {
        let policy = try list("https://a.test", "http://b.test:3000", "capacitor://localhost", "file://")
        for origin in [
            "https://a.test", "https://a.test:443", "wss://a.test", "http://b.test:3000", "capacitor://localhost",
            "file://",
        ] {
            #expect(try verdict(policy, ["Origin: \(origin)"]) == .allowed(origin: origin))
        }
        #expect(try verdict(policy, ["Origin: https://chat.test"]) == .notCrossSite)
        for origin in [
            "http://a.test", "https://a.test:1", "https://sub.a.test", "null", "*", "ionic://localhost",
            "http://localhost",
        ] {
            #expect(try verdict(policy, ["Origin: \(origin)"]) == .refused)
        }
    }

    @Test func anyAdmitsNullToo() throws {
        for origin in ["https://a.test", "null"] {
            #expect(try verdict(.any, ["Origin: \(origin)"]) == .allowed(origin: origin))
        }
    }

    @Test func credentialsAreAllowedOnlyForListedOrigins() throws {
        let named = try list("https://a.test").fields(for: .allowed(origin: "https://a.test"))
        #expect(named.contains(HTTPField("Access-Control-Allow-Origin", "https://a.test")))
        #expect(named.contains(HTTPField("Access-Control-Allow-Credentials", "true")))
        #expect(named.contains(HTTPField("Vary", "Origin")))
        let any = OriginPolicy.any.fields(for: .allowed(origin: "https://a.test"))
        #expect(any == [HTTPField("Access-Control-Allow-Origin", "*")])
        #expect(OriginPolicy.sameOrigin.fields(for: .refused) == [HTTPField("Vary", "Origin")])
    }

    @Test func aPreflightAllowsTheHeadersItAskedFor() throws {
        let asking = try head("OPTIONS", "/", ["Access-Control-Request-Headers: sentry-trace, baggage"])
        let allowed = OriginPolicy.any.preflight(.allowed(origin: "x"), asking)
        #expect(allowed.status == 204)
        #expect(allowed.fields.contains(HTTPField("Access-Control-Allow-Headers", "sentry-trace, baggage")))
        let silent = OriginPolicy.any.preflight(.allowed(origin: "x"), try head("OPTIONS", "/"))
        #expect(silent.fields.contains { $0.name == "Access-Control-Allow-Headers" && $0.value.contains("X-User-Id") })
        #expect(OriginPolicy.any.preflight(.refused, asking).fields.isEmpty)
    }

    @Test(arguments: [
        ("localhost:5004", true), ("LOCALHOST", true), ("localhost.", true), ("chat.localhost:80", true),
        ("127.0.0.1:5004", true), ("127.9.9.9", true), ("[::1]:5004", true), ("[::ffff:127.0.0.1]", true),
        ("evil.test:5004", false), ("localhost.evil.test", false), ("evillocalhost", false), ("10.0.0.1", false),
        ("[2001:db8::1]", false), ("0.0.0.0", false), ("127.0.0.1.evil.test", false), ("[localhost]", false),
    ]) func onLoopbackOnlyNamesOfLoopbackAreBelieved(_ host: String, _ expected: Bool) throws {
        #expect(OriginPolicy.sameOrigin.believes(host: host, .notCrossSite) == expected)
        #expect(OriginPolicy.sameOrigin.believes(host: host, .refused) == expected)
        #expect(OriginPolicy.any.believes(host: host, .notCrossSite) || host == "[localhost]")
        #expect(OriginPolicy.sameOrigin.believes(host: host, .allowed(origin: "https://a.test")))
        #expect(try list("https://a.test").believes(host: host, .notCrossSite) == expected)
    }

    @Test func aListedOriginsNameIsBelievedToo() throws {
        let policy = try list("https://a.test", "http://b.test:3000")
        for host in ["a.test", "a.test:443", "b.test:3000"] { #expect(policy.believes(host: host, .notCrossSite)) }
        for host in ["a.test:80", "b.test", "c.test"] { #expect(!policy.believes(host: host, .notCrossSite)) }
        #expect(OriginPolicy.sameOrigin.believes(host: nil, .notCrossSite))
    }
}
