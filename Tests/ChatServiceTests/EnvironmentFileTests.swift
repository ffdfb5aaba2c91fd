import Foundation
import Testing

@testable import ChatService

@Suite struct EnvironmentFileTests {
    @Test func readsTheUsualForms() {
        let file = EnvironmentFile(
            parsing: """
                # a comment
                PLAIN=value
                  export EXPORTED = spaced out   # trailing comment
                HASH=a#b
                EMPTY=
                COMMENT_ONLY=# nothing
                SINGLE='literal $x \\n # "kept"'
                DOUBLE="a\\tb\\n\\"q\\" \\$x \\\\ \\z" # behind
                MULTI="one
                two"
                export=1
                AGAIN=1
                AGAIN=2
                URL=amqp://u:p@h:5672/v?x=y
                """)
        #expect(file.problems == [])
        #expect(
            file.values == [
                "PLAIN": "value", "EXPORTED": "spaced out", "HASH": "a#b", "EMPTY": "", "COMMENT_ONLY": "",
                "SINGLE": #"literal $x \n # "kept""#, "DOUBLE": "a\tb\n\"q\" $x \\ \\z", "MULTI": "one\ntwo",
                "export": "1",
                "AGAIN": "2", "URL": "amqp://u:p@h:5672/v?x=y",
            ])
    }

    @Test func readsFilesFromOtherSystems() {
        let file = EnvironmentFile(parsing: "\u{FEFF}A=1\r\nB=\"2\"\r\n\r\nC=3")
        #expect(file.values == ["A": "1", "B": "2", "C": "3"])
        #expect(file.problems == [])
    }

    @Test func namesTheLineOfEveryProblemButNotItsContent() {
        let file = EnvironmentFile(
            parsing:
                "JUST A LINE hunter2\nGOOD=1\n=hunter2\n2X=hunter2\nQ=\"a\" hunter2\nM='x\ny' hunter2\nOPEN=\"hunter2\n"
        )
        #expect(file.values == ["GOOD": "1"])
        #expect(
            file.problems == [
                "line 1: = is missing behind the name", "line 3: a name of letters, digits and _ is missing",
                "line 4: a name of letters, digits and _ is missing", "line 5: text behind the closing quote",
                "line 6: text behind the closing quote", "line 8: the closing quote is missing",
            ])
        #expect(!file.problems.joined().contains("hunter2"))
    }

    @Test func missingFilesAreNoError() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "env-\(UUID().uuidString)").path
        #expect(try BoundedFile.bytes(at: path) == nil)
        try "A=1\n".write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try BoundedFile.bytes(at: path) == Array("A=1\n".utf8))
        #expect(throws: InvalidConfiguration.self) { try BoundedFile.bytes(at: NSTemporaryDirectory()) }
    }

    @Test func filesThatAreTooLargeAreRefused() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "env-\(UUID().uuidString)").path
        let large = String(repeating: "#", count: BoundedFile.maximumBytes + 1)
        try large.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: InvalidConfiguration.self) { try BoundedFile.bytes(at: path) }
    }
}
