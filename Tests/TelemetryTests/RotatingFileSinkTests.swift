import Foundation
import Telemetry
import Testing

@Suite struct RotatingFileSinkTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "logs-\(UUID().uuidString)").path

    private func content(_ file: String) -> String? {
        try? String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8)
    }

    @Test func keepsABoundedNumberOfBoundedFiles() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let sink = try RotatingFileSink(directory: directory, name: "chat", maximumBytes: 10, files: 3)
        for line in ["first\n", "second\n", "third\n", "fourth\n", "5\n"] { sink.write(Array(line.utf8)) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 3)
        #expect(content("chat.log") == "fourth\n5\n")
        #expect(content("chat.1.log") == "third\n")
        #expect(content("chat.2.log") == "second\n")
    }

    @Test func continuesTheFileOfTheLastRun() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for line in ["one\n", "two\n", "three\n"] {
            try RotatingFileSink(directory: directory, name: "chat", maximumBytes: 8, files: 2).write(Array(line.utf8))
        }
        #expect(content("chat.log") == "three\n")
        #expect(content("chat.1.log") == "one\ntwo\n")
    }

    @Test func oneFileIsStartedAnew() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let sink = try RotatingFileSink(directory: directory, name: "chat", maximumBytes: 5, files: 1)
        for line in ["one\n", "two\n"] { sink.write(Array(line.utf8)) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["chat.log"])
        #expect(content("chat.log") == "two\n")
    }

    @Test func anUnusableDirectoryIsReportedAtOnce() throws {
        let error = try #require(throws: RotatingFileSink.Unusable.self) {
            _ = try RotatingFileSink(directory: "/dev/null", name: "x")
        }
        #expect(error.description == "cannot write /dev/null/x.log: Not a directory")
    }

    @Test func aLostFileIsOpenedAgain() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let sink = try RotatingFileSink(directory: directory, name: "chat", maximumBytes: 4, files: 2)
        sink.write(Array("one\n".utf8))
        try FileManager.default.removeItem(atPath: directory)
        sink.write(Array("two\n".utf8))
        #expect(sink.lostLines == 1)
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        sink.write(Array("six\n".utf8))
        #expect(content("chat.log") == "six\n")
    }
}
