import Foundation
import Gateway
import RedisLink
import Testing

@testable import ChatService

@Suite struct VariablesTests {
    @Test func everyDefaultIsAllowed() {
        for variable in Variables.all {
            if case .text(let text) = variable.fallback { #expect(variable.allows(text), "\(variable.name)") }
        }
    }

    @Test func everyVariableIsListedOnceAndRead() {
        let names = Variables.all.map(\.name)
        #expect(Set(names).count == names.count)
        var reader = ConfigurationReader(environment: [:], file: EnvironmentFile(parsing: ""))
        _ = Configuration(reading: &reader, system: facts)
        #expect(reader.names == Set(names))
    }

    @Test func theReferencePageIsTheGeneratedOne() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/configuration.md")
        let committed = try String(contentsOf: page.standardized, encoding: .utf8)
        #expect(
            committed == ConfigurationText.referencePage() + "\n",
            "write it anew: chat-service --print-configuration-docs > docs/configuration.md")
    }

    @Test func helpListsEveryVariableWithItsDefault() {
        let help = HelpText.full()
        for variable in Variables.all { #expect(help.contains("  \(variable.name) (\(variable.defaultText))\n")) }
    }

    @Test(arguments: [("90", 90), ("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)])
    func durationsHaveUnits(text: String, seconds: Int) {
        #expect(ValueType<Duration>.withUnit.parse(text) == .seconds(seconds))
    }

    @Test(arguments: ["", "0", "h", "-1h", "1.5h", "24 h", "1w", "9223372036854775807d", "99999d", "+5"])
    func malformedDurationsAreRefused(text: String) {
        #expect(ValueType<Duration>.withUnit.parse(text) == nil)
    }

    @Test(arguments: [
        ("https://a.example", ["https://a.example:443"]),
        ("HTTPS://A.Example:443/, http://b:8080 ,", ["https://a.example", "http://b:8080"]),
        ("http://[::1]:80", ["http://[::1]"]), ("wss://a, ws://b:80", ["https://a:443", "http://b"]),
        (
            "capacitor://localhost, ionic://localhost,file://",
            ["capacitor://localhost", "ionic://localhost", "file://"]
        ),
    ])
    func originsAreComparedBySchemeHostAndPort(text: String, expected: [String]) {
        #expect(OriginPolicy(parsing: text) == .list(Set(expected.compactMap { WebOrigin($0) })))
    }

    @Test func anyOriginIsAStar() { #expect(OriginPolicy(parsing: "*") == .any) }

    @Test(arguments: [
        "", ",", "a.example", "*,https://a", "https://a/path", "https://*.a", "1a://a", "https://u@a", "null",
        "https://", "https://a:0", "https://a:x", "://a", "https://[a]",
    ])
    func whatIsNoOriginIsRefused(text: String) {
        #expect(OriginPolicy(parsing: text) == nil)
    }

    @Test(arguments: [
        "redis://", "redis://h:0", "redis://h:x", "redis://h/x", "redis://h/-1", "h:6379", "redis://a b",
        "redis://h%zz@",
        "redis://u:%+1@h", "redis://[::1", "redis://h:70000",
    ])
    func whatIsNoRedisIsRefused(text: String) {
        #expect(RedisDeployment(url: text) == nil)
    }

    @Test func urlsAreTakenApart() throws {
        let url = try #require(ServerURL("AMQP://us%3Aer:p@ss@[fd00::1]:5671/%2F?heartbeat=5"))
        #expect(url.scheme == "amqp" && url.user == "us:er" && url.password == Secret("p@ss") && url.host == "fd00::1")
        #expect(url.port == 5671 && url.path == "/" && url.query == "heartbeat=5")
        let bare = try #require(ServerURL("amqp://mq"))
        #expect(bare.user == nil && bare.password == nil && bare.port == nil && bare.path == nil && bare.query == nil)
    }

    @Test(arguments: [
        ("", "", 0), ("A", "", 1), ("PORT", "PORT", 0), ("PROT", "PORT", 1), ("MONGO_URI", "MONGODB_URI", 2),
        ("AB", "BA", 1),
        ("KITTEN", "SITTING", 3),
    ])
    func distancesCountEdits(a: String, b: String, expected: Int) {
        #expect(Misspelling.distance(a, b, atMost: 3) == expected)
        #expect(Misspelling.distance(b, a, atMost: 3) == expected)
        if expected > 0 { #expect(Misspelling.distance(a, b, atMost: expected - 1) == nil) }
    }
}
