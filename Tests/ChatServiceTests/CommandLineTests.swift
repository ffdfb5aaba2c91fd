import ChatDomain
import Foundation
import Synchronization
import Testing

@testable import ChatService

@Suite struct CommandLineTests {
    @Test(arguments: [
        (["serve"], CommandLineAction.serve), (["--help"], .help(command: nil)),
        (["token", "mint", "-h"], .help(command: "token mint")), (["token", "--help"], .help(command: "token")),
        (["help", "kick"], .help(command: "kick")), (["kick", "--help"], .help(command: "kick")),
        (["--version"], .version),
        (["--check-config"], .checkConfiguration), (["serve", "--check-config"], .checkConfiguration),
        (["--print-configuration-docs"], .printConfigurationDocs),
        (["healthcheck"], .healthcheck(isAliveWhenFull: false)),
        (["healthcheck", "--alive"], .healthcheck(isAliveWhenFull: true)),
        (["migrate"], .migrate(MigrateArguments())),
        (["migrate", "--dry-run", "--json"], .migrate(MigrateArguments(isDryRun: true, printsJSON: true))),
        (["backup", "a", "--force"], .backup(BackupArguments(path: "a", isForced: true))),
        (["restore", "--json", "a"], .restore(RestoreArguments(path: "a", printsJSON: true))),
        (["doctor", "--strict"], .doctor(DoctorArguments(isStrict: true))),
        (
            ["stats", "--server", "https://chat.example:5004", "--service-key-file=key", "--json"],
            .manage(
                .stats, ServerAccess(url: "https://chat.example:5004", serviceKeyFile: "key", printsJSON: true))
        ),
        (
            ["sessions", "--user", "ada", "--sort", "queuedBytes", "--limit=5"],
            .manage(
                .sessions([QueryItem("userId", "ada"), QueryItem("sort", "queuedBytes"), QueryItem("limit", "5")]),
                ServerAccess())
        ),
        (["rooms", "--search", "ki"], .manage(.rooms([QueryItem("q", "ki")]), ServerAccess())),
        (
            ["tail", "--room", "g", "--last=0", "--interval", "2s"],
            .manage(.tail(TailRequest(room: "g", last: 0, interval: .seconds(2))), ServerAccess())
        ),
        (["kick", "ada", "--session", "s"], .manage(.kick(user: "ada", session: "s"), ServerAccess())),
        (
            ["ban", "ada", "--room", "g", "--for", "1h", "--reason", "spam"],
            .manage(.ban(BanRequest(user: "ada", room: "g", span: .seconds(3600), reason: "spam")), ServerAccess())
        ),
        (["ban", "--lift", "ada"], .manage(.ban(BanRequest(user: "ada", isLifted: true)), ServerAccess())),
        (
            ["ban", "ada", "--as", "olga"],
            .manage(.ban(BanRequest(user: "ada")), ServerAccess(actor: UserID(unchecked: "olga")))
        ),
        (["bans"], .manage(.bans(room: nil, []), ServerAccess())),
        (
            ["bans", "--room", "g", "--limit", "5", "--after", "ada"],
            .manage(.bans(room: "g", [QueryItem("cursor", "ada"), QueryItem("limit", "5")]), ServerAccess())
        ),
        (["reload"], .manage(.reload(instance: nil), ServerAccess())),
        (["reload", "--instance", "b"], .manage(.reload(instance: "b"), ServerAccess())),
        (
            ["audit", "--action", "kick", "--user", "ada", "--actor", "olga", "--limit", "5", "--before", "1:a"],
            .manage(
                .audit([
                    QueryItem("userId", "ada"), QueryItem("action", "kick"), QueryItem("actor", "olga"),
                    QueryItem("before", "1:a"), QueryItem("limit", "5"),
                ]), ServerAccess())
        ),
        (["drain", "b", "--wait"], .manage(.drain(instance: "b", waits: true), ServerAccess())),
        (["export", "--room", "g"], .manage(.export(.room("g"), output: nil), ServerAccess())),
        (
            ["erase", "--user", "ada", "--messages", "anonymize", "--yes"],
            .manage(.erase(.user("ada"), messages: "anonymize", waits: false), ServerAccess())
        ),
        (["import-user-state", "state.json"], .importUserState(path: "state.json")),
        (["bench", "fanout", "--help"], .bench(arguments: ["fanout", "--help"])),
        (["token", "mint", "--user", "u1"], .mintToken(TokenRequest(user: "u1"))),
        (
            ["token", "mint", "--name=A=B", "--user=u1", "--expires", "2h"],
            .mintToken(TokenRequest(user: "u1", name: "A=B", lifetime: .seconds(7200)))
        ),
        (["token", "check"], .checkToken(.standardInput)), (["token", "check", "-"], .checkToken(.standardInput)),
        (["token", "check", "abc"], .checkToken(.argument("abc"))),
    ])
    func understands(arguments: [String], expected: CommandLineAction) throws {
        #expect(try CommandLineAction(parsing: arguments) == expected)
    }

    @Test(arguments: [
        ([], "a command is missing"), (["fly"], "unknown command fly"),
        (["import-user-state"], "import-user-state takes one file"),
        (["serve", "now"], "serve takes no argument, got now"),
        (["token"], "token takes mint or check"), (["token", "mint"], "token mint needs --user ID"),
        (["token", "mint", "--user"], "--user needs a value"),
        (["token", "mint", "--user="], "token mint needs --user ID"),
        (["token", "mint", "--user", "a", "--user", "b"], "--user is given twice"),
        (["token", "mint", "--admin"], "unknown option --admin"),
        (["token", "check", "a", "b"], "token check takes one token"),
        (["help", "fly"], "unknown command fly"), (["restore"], "restore takes one file"),
        (["kick"], "kick takes one user"), (["kick", ""], "kick takes one user"),
        (["drain", "a", "b"], "drain takes one instance"),
        (["backup", "a", "--force=yes"], "--force takes no value"),
        (["stats", "--service-key", "k"], "unknown option --service-key"),
        (["stats", "--server", "ftp://a"], "--server must be http://HOST:PORT or https://HOST:PORT"),
        (["rooms", "--limit", "201"], "--limit 201 is not allowed; allowed: an integer from 1 to 200"),
        (["rooms", "--sort", "size"], "--sort takes one of sessions, roomId, lastSeq"),
        (["tail"], "tail needs --room ID or --user ID"),
        (["kick", "ada", "--as", ""], "--as must not be empty"),
        (["kick", "ada", "--as", "a\nX-Admin: true"], "--as must not contain control characters"),
        (["sessions", "--as", "olga"], "unknown option --as"),
        (
            ["audit", "--action", "party"],
            "--action takes one of user_ban, user_unban, room_ban, room_unban, mute, unmute, role_set, role_cleared, "
                + "message_delete, room_delete, user_erase, room_erase, user_export, room_export, kick, drain, reload, login"
        ),
        (["ban", "ada", "--until", "soon"], "--until must be an ISO 8601 time such as 2030-01-31T12:00:00Z"),
        (["ban", "ada", "--until", "2030-01-31T12:00:00Z", "--for", "1h"], "--for and --until say the same; give one"),
        (["ban", "ada", "--lift", "--reason", "x"], "--lift goes with --room alone"),
        (["export", "--user", "a", "--room", "b"], "export needs --user ID or --room ID"),
        (["erase", "--user", "a"], "erase cannot be undone; confirm it with --yes"),
        (["erase", "--room", "a", "--messages", "erase", "--yes"], "--messages goes with --user"),
        (
            ["token", "mint", "--user", "a", "--expires", "soon"],
            "--expires soon is not allowed; allowed: seconds, or a number with a unit: 90s, 15m, 24h, 7d"
        ),
    ])
    func refuses(arguments: [String], message: String) {
        #expect(throws: UsageError(description: message)) { try CommandLineAction(parsing: arguments) }
    }
}

@Suite struct CommandRunnerTests {
    private final class Output: Sendable {
        let printed = Mutex("")
        let complained = Mutex("")
    }

    private let output = Output()

    private func run(_ arguments: [String], _ environment: [String: String] = [:], input: String = "") async -> Int32 {
        let output = output
        let programs = CommandRunner.Programs(
            serve: { _, _ in 40 }, migrate: { _, _ in 41 }, importUserState: { _, _ in 42 },
            backup: { $1.isForced ? 44 : 43 }, restore: { _, _ in 45 }, bench: { Int32($0.count) },
            doctor: { _, _ in 46 }, manage: { _, _, _ in 47 })
        let runner = CommandRunner(
            source: ConfigurationSource(environment: environment, environmentFile: "/nowhere/.env", system: facts),
            print: { text in output.printed.withLock { $0 += text + "\n" } },
            complain: { text in output.complained.withLock { $0 += text + "\n" } }, readStandardInput: { input },
            programs: programs)
        return await runner.run(arguments)
    }

    private var printed: String { output.printed.withLock { $0 } }
    private var complained: String { output.complained.withLock { $0 } }

    @Test func programsRunWithTheirConfiguration() async {
        #expect(await run(["serve"]) == 40)
        #expect(await run(["migrate"]) == 41)
        #expect(await run(["backup", "a"]) == 43)
        #expect(await run(["backup", "--force", "a"]) == 44)
        #expect(await run(["restore", "a"]) == 45)
        #expect(await run(["bench", "a", "b"]) == 2)
        #expect(await run(["doctor"], ["PORT": "x"]) == 46)
        #expect(await run(["stats"], ["PORT": "x"]) == 47)
    }

    @Test func aBadConfigurationStopsTheStart() async {
        #expect(await run(["serve"], ["PORT": "x", "MONGO_URI": "y"]) == ExitCode.configuration)
        #expect(complained.contains("error: PORT=x is not allowed; allowed: an integer from 1 to 65535\n"))
        #expect(complained.contains("warning: MONGO_URI is not a variable"))
    }

    @Test func wrongUseShowsTheUsage() async {
        #expect(await run(["fly"]) == ExitCode.usage)
        #expect(complained.hasPrefix("chat-service: unknown command fly\n\nusage: chat-service"))
        #expect(printed == "")
    }

    @Test func wrongUseOfACommandShowsItsOwnHelp() async {
        #expect(await run(["kick"]) == ExitCode.usage)
        #expect(complained.hasPrefix("chat-service: kick takes one user\n\nusage: chat-service kick [options] USER\n"))
        #expect(!complained.contains("chat-service serve"))
    }

    @Test func everyCommandHasAShortHelp() async {
        for command in CommandCatalogue.all where command.name != "bench" {
            output.printed.withLock { $0 = "" }
            #expect(await run(command.name.split(separator: " ").map(String.init) + ["--help"]) == 0)
            #expect(printed.hasPrefix("usage: chat-service \(command.name)"), "\(command.name)")
            for option in command.options { #expect(printed.contains("  \(option.synopsis) ")) }
            #expect(printed.count < 2500 && complained == "")
        }
    }

    @Test func theCheckShowsTheSettingsInForce() async {
        #expect(await run(["--check-config"], ["PORT": "6001"]) == 0)
        #expect(printed.contains("PORT=6001  (environment)\n"))
        #expect(printed.contains("# store: SQLite in ./data\n"))
    }

    @Test func helpAndVersionNeedNoConfiguration() async {
        #expect(await run(["--version"], ["PORT": "x"]) == 0)
        #expect(printed == "chat-service \(Version.current)\n")
        #expect(await run(["--help"], ["PORT": "x"]) == 0)
    }

    @Test func tokensNeedTheSettingsOfTokensAlone() async {
        let broken = Self.secret.merging(["LOG_LEVEL": "loud", "PORT": "x"]) { first, _ in first }
        #expect(await run(["token", "mint", "--user", "u1"], broken) == 0)
        #expect(await run(["token", "check"], broken, input: printed) == 0 && complained == "")
    }

    @Test func aHealthCheckNeedsTheAddressAlone() async {
        // Nothing listens there.
        #expect(await run(["healthcheck"], ["LOG_LEVEL": "loud", "PORT": "1"]) == ExitCode.failure)
        #expect(complained == "unhealthy: cannot connect: Connection refused\n")
        #expect(await run(["healthcheck"], ["PORT": "x"]) == ExitCode.configuration)
    }

    private static let secret = ["JWT_SECRET": String(repeating: "k", count: 32), "JWT_ISSUER": "us"]

    @Test func aMintedTokenIsAccepted() async {
        #expect(await run(["token", "mint", "--user", "u1", "--name", "Ann", "--expires", "1h"], Self.secret) == 0)
        let token = printed
        output.printed.withLock { $0 = "" }
        #expect(await run(["token", "check"], Self.secret, input: token) == 0)
        #expect(printed.hasPrefix("user: u1\nusername: Ann\nissuer: us\nissued: ") && printed.contains("\nexpires: "))
        #expect(complained == "")
        let other = ["JWT_SECRET": String(repeating: "x", count: 32)]
        #expect(await run(["token", "check", String(token.dropLast())], other) == ExitCode.failure)
        #expect(complained == "refused: the signature does not match\n")
    }

    @Test func tokensNeedAKey() async {
        #expect(await run(["token", "mint", "--user", "u1"]) == ExitCode.failure)
        #expect(await run(["token", "check", "a.b.c"]) == ExitCode.failure)
        #expect(
            await run(["token", "mint", "--user", String(repeating: "u", count: 129)], Self.secret) == ExitCode.failure)
        #expect(printed == "")
        #expect(complained.contains("needs JWT_SECRET") && complained.contains("--user must be at most 128 characters"))
    }

    @Test func theCheckReadsKeyFiles() async {
        for name in ["JWT_PUBLIC_KEY_FILE", "JWT_JWKS_FILE"] {
            #expect(await run(["--check-config"], [name: #filePath]) == ExitCode.configuration)
            #expect(complained.contains("error: \(name)=\(#filePath): "))
        }
    }
}
