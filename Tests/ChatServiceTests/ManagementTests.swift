import Foundation
import JSON
import Testing

@testable import ChatService

@Suite struct ManagedServerTests {
    private func source(_ environment: [String: String] = [:]) -> ConfigurationSource {
        ConfigurationSource(environment: environment, environmentFile: "/nowhere/.env", system: facts)
    }

    private static let key = String(repeating: "k", count: 32)

    @Test func theServerOnThisMachineIsTheDefault() throws {
        let server = try ManagedServer(
            ServerAccess(),
            source(["SERVICE_API_KEY": Self.key, "HOST": "::", "PORT": "6001", "AUTH_MODE": "trusted"]))
        #expect(server.url == "http://[::1]:6001" && server.key.text == Self.key)
    }

    @Test func settingsThatAreNotNeededMayBeBad() throws {
        let server = try ManagedServer(
            ServerAccess(),
            source(["SERVICE_API_KEY": Self.key, "LOG_LEVEL": "loud", "HOST": "10.0.0.1", "PORT": "6001"]))
        #expect(server.url == "http://10.0.0.1:6001" && server.key.text == Self.key)
        #expect(throws: InvalidConfiguration.self) {
            try ManagedServer(ServerAccess(), source(["SERVICE_API_KEY": Self.key, "PORT": "x"]))
        }
        #expect(throws: InvalidConfiguration.self) {
            try ManagedServer(ServerAccess(), source(["SERVICE_API_KEY": "short"]))
        }
    }

    @Test func withoutAKeyThereIsNoCall() {
        #expect(throws: ManagedServer.Unknown.self) { try ManagedServer(ServerAccess(), source()) }
    }

    @Test func anAddressAndAKeyFileNeedNoConfiguration() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "key-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data((Self.key + "\n").utf8).write(to: file)
        let access = ServerAccess(url: "https://chat.example/", serviceKeyFile: file.path)
        let server = try ManagedServer(access, source(["PORT": "x"]))
        #expect(server.url == "https://chat.example" && server.key.text == Self.key)
        try Data("short\n".utf8).write(to: file)
        #expect(throws: ManagedServer.Unknown.self) { try ManagedServer(access, source()) }
    }
}

@Suite struct FleetTextTests {
    @Test(arguments: [
        (#"{"bounds":[1,2,5],"counts":[900,50,45,5]}"#, "≤5 ms"), (#"{"bounds":[0.25],"counts":[1,0]}"#, "≤0.25 ms"),
        (#"{"bounds":[1,2],"counts":[1,0,99]}"#, ">2 ms"), (#"{"bounds":[1],"counts":[0,0]}"#, "-"),
        (#"{"bounds":"x","counts":[1]}"#, "-"), ("null", "-"),
    ])
    func percentiles(histogram: String, expected: String) throws {
        #expect(FleetText.percentile(try JSONValue(parsing: histogram.utf8)) == expected)
    }

    @Test func textsOfUsersCannotSteerTheTerminal() throws {
        let answer = try JSONValue(parsing: #"{"sessions":[{"userId":"a\u001b[2Jb\n\u202e"}],"total":3}"#.utf8)
        let text = FleetText.sessions(answer)
        #expect(text.contains(#"a\u{1b}[2Jb\n\u{202e}"#) && text.hasSuffix("1 of 3 sessions"))
    }

    @Test func columnsAreAligned() {
        var table = TextTable("A", "BB")
        table.add("xyz", "1")
        #expect(table.text == "A    BB\nxyz  1")
    }
}

@Suite struct OperatorAccountTests {
    @Test func theAccountBehindSudoIsNamed() {
        let own = OperatorAccount.current(environment: [:])
        #expect(own.split(separator: "@").count == 2)
        let behindSudo = OperatorAccount.current(environment: ["SUDO_USER": "olga"])
        #expect(geteuid() == 0 ? behindSudo == "olga@\(own.split(separator: "@")[1])" : behindSudo == own)
    }

    @Test func itFitsIntoAHeaderField() {
        #expect(OperatorAccount.name(account: "ol ga\r\nX: y", host: "hö st") == "ol?ga??X:?y@h??st")
        let long = String(repeating: "x", count: 500)
        #expect(OperatorAccount.name(account: long, host: long).utf8.count == 127)
    }
}

@Suite struct TrailAndReloadTextTests {
    @Test func entriesOfTheTrailAreRows() throws {
        let answer = try JSONValue(
            parsing: #"""
                {"entries":[{"timestamp":1000,"action":"user_ban","outcome":"done","service":true,"actor":"olga","address":"::1",
                "instance":"a","userId":"ben"},{"timestamp":0,"action":"message_delete","outcome":"done","service":true,
                "messageId":"65f0","detail":"by account olga@h"}],"cursor":"0:65"}
                """#.utf8)
        let lines = FleetText.audit(answer).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(
            lines == [
                ["TIME", "ACTION", "OUTCOME", "ACTOR", "ADDRESS", "INSTANCE", "USER", "ROOM", "DETAIL"],
                ["1970-01-01T00:00:01.000Z", "user_ban", "done", "olga", "::1", "a", "ben", "-", "-"],
                [
                    "1970-01-01T00:00:00.000Z", "message_delete", "done", "(service)", "-", "-", "-", "-", "message",
                    "65f0;", "by", "account", "olga@h",
                ],
                ["2", "entries;", "older", "ones", "with", "--before", "0:65"],
            ])
    }

    @Test func eachInstanceSaysWhetherItReloaded() throws {
        let answer = try JSONValue(
            parsing: #"""
                {"reloads":[{"instance":"a","outcome":"done","applied":["rates","origins"],"restartNeeded":["PORT"],"warnings":["w"],
                "error":null},{"instance":"b","outcome":"refused","applied":[],"restartNeeded":[],"warnings":[],"error":"PORT=x"}]}
                """#.utf8)
        #expect(
            FleetText.reloads(answer) == """
                INSTANCE  OUTCOME  APPLIED
                a         done     rates, origins
                b         refused  -
                a: at the next start: PORT
                a: warning: w
                b: refused: PORT=x
                """)
    }
}

@Suite struct ExportPageTests {
    @Test func theLastLineJoinsThePages() throws {
        let page = try ExportPage(Array("{\"type\":\"user\"}\n{\"type\":\"next\",\"cursor\":\"r\"}\n".utf8))
        #expect(page.lines == [#"{"type":"user"}"#] && page.cursor == "r")
        #expect(try ExportPage(Array("{\"type\":\"end\"}\n".utf8)).cursor == nil)
    }

    @Test(arguments: ["", #"{"type":"user"}"#, #"{"type":"next"}"#, "nonsense"])
    func aPageWithoutItIsCutOff(text: String) {
        #expect(throws: ManagementError.self) { try ExportPage(Array(text.utf8)) }
    }
}

@Suite struct TailTests {
    @Test(arguments: [
        (#"{"messages":[{}],"lastSeq":9,"hasMore":true}"#, Int64(9), true),
        (#"{"messages":[{}],"lastSeq":9,"hasMore":false}"#, 9, false),
        (#"{"messages":[],"lastSeq":9,"hasMore":true}"#, 5, false),
        (#"{"messages":[{}],"lastSeq":2,"hasMore":true}"#, 5, false), ("{}", 5, false),
    ])
    func pagesThatDoNotAdvanceEnd(page: String, last: Int64, hasMore: Bool) throws {
        let next = Tail.next(try JSONValue(parsing: page.utf8), after: 5)
        #expect(next.0 == last && next.hasMore == hasMore)
    }

    @Test func linesShowMessagesAndChanges() throws {
        let message = try JSONValue(
            parsing: #"{"roomId":"g","seq":3,"userId":"ada","message":"a\tb","timestamp":0,"editedAt":1000}"#.utf8)
        #expect(Tail.line("message", message) == #"1970-01-01T00:00:00.000Z g #3 ada: a\u{9}b"#)
        #expect(Tail.line("change", message) == #"1970-01-01T00:00:01.000Z g #3 ada: (changed) a\u{9}b"#)
        let stone = try JSONValue(parsing: #"{"roomId":"g","seq":3,"userId":"ada","deleted":true}"#.utf8)
        #expect(Tail.line("change", stone) == "- g #3 ada: (deleted)")
    }
}
