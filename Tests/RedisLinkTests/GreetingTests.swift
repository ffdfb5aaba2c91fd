import Testing

@testable import RedisLink

/// What a server says of itself at the beginning, and what it means by its errors later.
@Suite struct GreetingTests {
    private let ok = text("OK")
    private let pong = text("PONG")

    private static func text(_ text: String) -> RedisValue { .string(Array(text.utf8)) }

    private func hello(_ version: String, role: String = "master") -> RedisValue {
        .array([Self.text("version"), Self.text(version), Self.text("role"), Self.text(role)])
    }

    private func judgement(_ hello: RedisValue) -> Greeting.Action {
        var greeting = Greeting(RedisAccess())
        return greeting.receive(hello)
    }

    @Test func signingInIsCheckedStepByStep() {
        let access = RedisAccess(user: "u", password: "p&ss", database: 3)
        var greeting = Greeting(access)
        #expect(greeting.commands == [["AUTH", "u", "p&ss"], ["SELECT", "3"], ["HELLO", "2"], ["PING"]])
        for answer in [ok, ok, hello("7.0.15")] { #expect(greeting.receive(answer) == .wait) }
        #expect(greeting.receive(pong) == .done)

        greeting = Greeting(access)
        let refusal = greeting.receive(.error(code: "WRONGPASS", message: "not p&ss"))
        #expect(refusal == .refused(reason: "Redis refuses the user or password (WRONGPASS)"))

        #expect(Greeting(RedisAccess()).commands == [["HELLO", "2"], ["PING"]])
        #expect(judgement(.integer(1)) == .refused(reason: "the server does not answer as Redis does"))
    }

    @Test func aSentinelHasNeitherDatabasesNorARole() {
        var greeting = Greeting(RedisAccess(user: "u", password: "p", database: 3), of: .sentinel)
        #expect(greeting.commands == [["AUTH", "u", "p"], ["PING"]])
        #expect(greeting.receive(ok) == .wait && greeting.receive(pong) == .done)
        let mode = RedisValue.array(["version", "7.0.15", "mode", "sentinel"].map(Self.text))
        #expect(
            judgement(mode)
                == .refused(reason: "the server is a sentinel, whose addresses belong into redis+sentinel://"))
    }

    @Test(arguments: ["6.2.0", "7.0.15", "10.1", "8", "unstable"]) func recentEnough(_ version: String) {
        #expect(judgement(hello(version)) == .wait)
    }

    @Test(arguments: ["6.0.16", "5.0.14", "2.8.4"]) func tooOld(_ version: String) {
        #expect(judgement(hello(version)) == .refused(reason: "Redis has to be 6.2 or later, and it is \(version)"))
    }

    @Test func olderThanTheQuestion() {
        let reason = "Redis has to be 6.2 or later, and it does not know HELLO"
        #expect(judgement(.error(code: "ERR", message: "unknown command `HELLO`")) == .refused(reason: reason))
    }

    @Test func aReplicaIsNotThePrimary() {
        #expect(
            judgement(hello("7.0.15", role: "replica"))
                == .notPrimary(reason: "Redis is a replica, which takes no writes"))
        for code in ["LOADING", "MASTERDOWN"] {
            var greeting = Greeting(RedisAccess())
            #expect(greeting.receive(hello("7.0.15")) == .wait)
            guard case .notPrimary(let reason) = greeting.receive(.error(code: code, message: "")) else {
                Issue.record("\(code) was taken for good")
                continue
            }
            #expect(reason.contains(code))
        }
    }

    @Test(arguments: [
        ("OOM", "command not allowed when used memory > 'maxmemory'. script: 09c4, on @user_script:1.", "OOM"),
        (
            "ERR", "Error running script (call to f_09c4): @user_script:1: @user_script: 1: -READONLY You can't",
            "READONLY"
        ),
        ("ERR", "Error running script (call to f_09c4): @user_script:1: -OOM command not allowed", "OOM"),
        (
            "ERR", "Error running script (call to f_1): @user_script: 3: Unknown Redis command called from Lua",
            "UNKNOWN"
        ),
        ("ERR", "Unknown Redis command called from script script: 5e28, on @user_script:1.", "UNKNOWN"),
        ("ERR", "unknown command 'HRANDFIELD', with args beginning with: 'x'", "UNKNOWN"),
        ("ERR", "The user executing the script can't run this command or subcommand script: 51b6", "NOPERM"),
        ("ERR", "Error running script (call to f_1): @user_script:1: attempt to index a -nil value", "ERR"),
        ("ERR", "value is not an integer or out of range", "ERR"),
    ]) func aScriptErrorHasTheCodeOfItsCause(_ word: String, _ message: String, _ code: String) {
        #expect(ErrorReply.code(word, message) == code)
    }
}
