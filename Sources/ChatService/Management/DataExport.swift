import Foundation
import HTTPClient
import JSON

/// Reads an export page by page, and writes its lines without those that only join the pages.
struct DataExport: Sendable {
    let server: ManagementClient
    let subject: DataSubject
    /// nil: standard output.
    let output: String?

    /// - Returns: the number of lines.
    func run(_ print: (String) -> Void) async throws(ManagementError) -> Int {
        guard let output else { return try await writePages(print) }
        let file = try Self.make(output)
        do throws(ManagementError) {
            let count = try await writePages { file.write(Data(($0 + "\n").utf8)) }
            return count
        } catch {
            // Half an export must not be taken for one.
            try? FileManager.default.removeItem(atPath: output)
            throw error
        }
    }

    private func writePages(_ write: (String) -> Void) async throws(ManagementError) -> Int {
        var count = 0
        var cursor: String?
        while true {
            let query = cursor.map { [QueryItem("cursor", $0)] } ?? []
            let page = try ExportPage(try await server.call(.get, subject.path + ["export"], query: query).bytes)
            if !page.lines.isEmpty { write(page.lines.joined(separator: "\n")) }
            count += page.lines.count
            guard let next = page.cursor else { return count }
            guard next != cursor else { throw ManagementError(description: "the server repeats a page of the export") }
            cursor = next
        }
    }

    private static func make(_ path: String) throws(ManagementError) -> FileHandle {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ManagementError(description: "cannot make \(path): \(String(cString: strerror(errno)))")
        }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}

/// A page of an export: lines of JSON, of which the last names the next page or says that there is none.
struct ExportPage: Equatable {
    let lines: [String]
    /// nil: this is the last page.
    let cursor: String?

    init(_ bytes: [UInt8]) throws(ManagementError) {
        let lines = bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
        let end = lines.last.flatMap { try? JSONValue(parsing: $0.utf8) }
        switch (end?["type"]?.string, end?["cursor"]?.string) {
        case ("end", _): cursor = nil
        case ("next", let next?): cursor = next
        default: throw ManagementError(description: "a page of the export was cut off", isPassing: true)
        }
        self.lines = Array(lines.dropLast())
    }
}
