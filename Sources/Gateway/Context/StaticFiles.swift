import Crypto
import WireProtocols

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The files of a page, read once at start, so that a request can reach no other file and no later version.
public struct StaticFiles: Sendable {
    /// A body with its entity tag (RFC 9110 section 8.8.3).
    struct File: Sendable {
        private let response: HTTPResponse
        private let tag: String

        init(_ contents: [UInt8], type: String) {
            tag = "\"" + Digest.sha256(contents).prefix(12).map { String($0, radix: 16) }.joined() + "\""
            response = HTTPResponse(
                status: 200,
                fields: [
                    HTTPField("Content-Type", type), HTTPField("ETag", tag), HTTPField("Cache-Control", "no-cache"),
                ],
                body: contents)
        }

        func response(ifNoneMatch known: String?) -> HTTPResponse {
            guard known == tag else { return response }
            return HTTPResponse(status: 304, fields: [HTTPField("ETag", tag)])
        }
    }

    /// By path.
    private(set) var files: [String: File] = [:]
    private var root = ""

    /// No files.
    public init() {}

    /// Reads all files below `directory`, to be served below a path.
    ///
    /// - Parameter path: without a slash at its end.
    /// - Throws: when a file cannot be read.
    public init(directory: String, at path: String) throws {
        root = path
        try add(directory: directory, below: path + "/")
    }

    /// Adds all files below `directory`, to be served below `path`, which ends with a slash. Files whose names begin with a dot, or
    /// lie below such a folder, are left out; where there is no such directory, there are none.
    ///
    /// - Throws: when a file cannot be read.
    public mutating func add(directory: String, below path: String) throws {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []
        for name in names where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
            let file = "\(directory)/\(name)"
            guard try FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType == .typeRegular
            else { continue }
            try add(path: path + name, file: file)
        }
    }

    /// Serves `index.html` at this path too.
    public mutating func serveIndex(at path: String) { files[path] = files[root + "/index.html"] }

    /// Adds a file, or replaces the one at this path. Its type follows from the path's ending.
    public mutating func add(path: String, contents: [UInt8]) {
        files[path] = File(contents, type: Self.type(of: path))
    }

    /// Adds a file from elsewhere under a path of its own.
    ///
    /// - Throws: when the file cannot be read.
    public mutating func add(path: String, file: String) throws {
        add(path: path, contents: Array(try Data(contentsOf: URL(fileURLWithPath: file))))
    }

    private static func type(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "js", "mjs": "text/javascript; charset=utf-8"
        case "json", "map", "webmanifest": "application/json"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "woff2": "font/woff2"
        default: "application/octet-stream"
        }
    }
}
