import HTTPClient
import JSON

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads an export page by page, and writes its lines without those that only join the pages.
struct DataExport: Sendable {
    let server: ManagementClient
    let subject: DataSubject
    /// nil: standard output.
    let output: String?

    /// - Returns: the number of lines.
    func run(_ print: (String) -> Void) async throws(ManagementError) -> Int {
        guard let output else { return try await writePages(print) }
        guard let file = fopen(output, "wxe") else { throw Self.failure(output) }
        fchmod(fileno(file), 0o600)
        do throws(ManagementError) {
            let count = try await writePages { fputs($0 + "\n", file) }
            guard ferror(file) == 0, fflush(file) == 0 else { throw Self.failure(output) }
            fclose(file)
            return count
        } catch {
            // Half an export must not be taken for one.
            fclose(file)
            unlink(output)
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

    private static func failure(_ path: String) -> ManagementError {
        ManagementError(description: "cannot write \(path): \(String(cString: strerror(errno)))")
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
