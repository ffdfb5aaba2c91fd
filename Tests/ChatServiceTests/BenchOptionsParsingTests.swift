import ChatBench
import RedisLink
import Testing

@testable import ChatService

@Suite("Command line of the benches")
struct BenchOptionsParsingTests {
    @Test("Every option of a message bench is read")
    func message() throws {
        let arguments = [
            "--url", "http://127.0.0.1:1", "--url", "ws://localhost:2", "--transport", "socketio", "--clients", "4",
            "--rooms", "2", "--rate", "5", "--seconds", "6", "--settle", "7",
        ]
        let options = try MessageBenchOptions(parsing: arguments)
        #expect(options.servers.map(\.port) == [1, 2])
        #expect(options.servers.map(\.host) == ["127.0.0.1", "127.0.0.1"])
        #expect(options.transport == .socketIO)
        #expect((options.clients, options.rooms, options.pace) == (4, 2, .rate(5)))
        #expect((options.length, options.pauseBeforeSending) == (.seconds(6), .seconds(7)))
        #expect(try MessageBenchOptions(parsing: []) == MessageBenchOptions())
        #expect(try MessageBenchOptions(parsing: ["--rate", "closed"]).pace == .closedLoop)
    }

    @Test("Every option of a presence bench is read")
    func presence() throws {
        let arguments = [
            "crash", "--url", "http://127.0.0.1:1", "--other", "http://127.0.0.1:2", "--clients", "30", "--watchers",
            "4", "--rate", "5", "--seconds", "6", "--grace-ms", "7", "--settle", "8", "--kill", "9", "--cpu", "10,11",
            "--redis", "redis://127.0.0.1:12",
        ]
        let options = try PresenceBenchOptions(parsing: arguments)
        #expect((options.server.port, options.otherServer?.port) == (1, 2))
        #expect(options.redis == .single(RedisEndpoint(host: "127.0.0.1", port: 12)))
        #expect((options.scenario, options.users, options.watchers, options.rate) == (.crash, 30, 4, 5))
        #expect((options.length, options.gracePeriod) == (.seconds(6), .milliseconds(7)))
        #expect((options.pauseBeforeKill, options.killedProcess) == (.seconds(8), 9))
        #expect(options.measuredProcesses == [10, 11])
    }

    @Test(
        "Bad options are refused",
        arguments: [
            ["--clients"], ["--clients", "0"], ["--rooms", "200"], ["--transport", "smoke"], ["--color", "red"],
            ["--rate", "fast"],
            ["--url", "https://127.0.0.1"], ["--url", "http://example.com"],
        ])
    func refused(arguments: [String]) {
        #expect(throws: UsageError.self) { try MessageBenchOptions(parsing: arguments) }
    }

    @Test("Watchers that cannot name all users are refused")
    func tooFewWatchers() {
        #expect(throws: UsageError.self) {
            try PresenceBenchOptions(parsing: ["churn", "--clients", "2500", "--watchers", "2"])
        }
    }
}
