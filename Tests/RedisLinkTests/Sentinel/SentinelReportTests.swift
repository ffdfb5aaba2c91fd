import Testing

@testable import RedisLink

/// What the replies of one sentinel mean.
@Suite struct SentinelReportTests {
    private typealias Reply = Result<RedisValue, RedisError>

    private static func text(_ text: String) -> RedisValue { .string(Array(text.utf8)) }
    private static func list(_ texts: String...) -> RedisValue { .array(texts.map(text)) }
    private let details: Reply = .success(list("name", "m", "config-epoch", "7", "quorum", "2"))

    @Test func theAddressAndTheEpochAreRead() {
        let report = SentinelReport(address: .success(Self.list("10.0.0.5", "6380")), details: details)
        #expect(report == .primary(RedisAddress(host: "10.0.0.5", port: 6380), epoch: 7))
        let named = SentinelReport(address: .success(Self.list("redis-0.example", "1")), details: details)
        #expect(named == .primary(RedisAddress(host: "redis-0.example", port: 1), epoch: 7))
    }

    @Test(
        arguments: [
            .failure(.server(code: "NOPERM", message: "")), .failure(.timeout), .success(.null), .success(.integer(1)),
            .success(list("config-epoch")), .success(list("config-epoch", "x")),
            .success(.array([.null, .integer(1)])),
        ] as [Result<RedisValue, RedisError>])
    func withoutDetailsTheEpochIsUnknown(_ details: Result<RedisValue, RedisError>) {
        let report = SentinelReport(address: .success(Self.list("h", "1")), details: details)
        #expect(report == .primary(RedisAddress(host: "h", port: 1), epoch: nil))
    }

    @Test(arguments: [
        list(), list("h"), list("h", "0"), list("h", "65536"), list("h", "-1"), list("h", "x"), list("", "1"),
        list("a b", "1"), list("a\nb", "1"), list("h", "1", "2"), .array([.null, .null]), .integer(3), text("OK"),
        list(String(repeating: "h", count: 256), "1"), .array([.string([0xFF]), .integer(1)]),
    ])
    func anAddressThatCannotBeUsedIsRefused(_ reply: RedisValue) {
        let report = SentinelReport(address: .success(reply), details: details)
        #expect(report == .noPrimary(reason: "it does not answer as a sentinel does"))
    }

    @Test func aPortMayBeANumber() {
        let report = SentinelReport(address: .success(.array([Self.text("h"), .integer(5)])), details: details)
        #expect(report == .primary(RedisAddress(host: "h", port: 5), epoch: 7))
    }

    @Test func refusalsAndSilenceAreToldApart() {
        func report(_ address: Reply) -> SentinelReport { SentinelReport(address: address, details: details) }
        #expect(report(.success(.null)) == .noPrimary(reason: "it knows no primary of that name"))
        for code in ["ERR", "UNKNOWN"] {
            let refusal = report(.failure(.server(code: code, message: "unknown command")))
            #expect(refusal == .noPrimary(reason: "it is not a sentinel"))
        }
        let denied = report(.failure(.server(code: "NOPERM", message: "secret")))
        #expect(denied == .noPrimary(reason: "it refuses to say where the primary is (NOPERM)"))
        #expect(report(.failure(.timeout)) == .unavailable(reason: "no answer in time"))
        #expect(report(.failure(.interrupted(reason: "r"))) == .unavailable(reason: "r"))
        #expect(report(.failure(.unavailable(reason: "r"))) == .unavailable(reason: "r"))
    }
}
