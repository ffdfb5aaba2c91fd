import JSON
import PersistenceSQLite

/// A request of the backup command to the process that has the store open, as one line.
struct BackupRequest: Equatable {
    /// Absolute, as the two processes have different working directories.
    var path: String
    var replaces: Bool

    var line: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("backup", path)
            $0.member("replace", replaces)
        }
        return writer.bytes
    }

    init(path: String, replaces: Bool) {
        self.path = path
        self.replaces = replaces
    }

    init?(line: [UInt8]) {
        guard let value = try? JSONValue(parsing: line), let path = value["backup"]?.string, path.hasPrefix("/"),
            !path.contains("\0")
        else { return nil }
        self.init(path: path, replaces: value["replace"]?.bool ?? false)
    }
}

/// An answer of that process, as one line. The last answer is `done` or `failed`.
enum BackupAnswer: Equatable {
    case progress(BackupProgress)
    case done(StoreContents)
    case failed(String)

    var line: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            switch self {
            case .progress(let progress):
                writer.member("copied", progress.pagesCopied)
                writer.member("pages", progress.pages)
            case .done(let contents):
                writer.member("rooms", contents.rooms)
                writer.member("messages", contents.messages)
                writer.member("users", contents.users)
            case .failed(let reason):
                writer.member("failed", reason)
            }
        }
        return writer.bytes
    }

    init?(line: [UInt8]) {
        guard let value = try? JSONValue(parsing: line) else { return nil }
        func count(_ key: String) -> Int? { value[key]?.integer.flatMap { Int(exactly: $0) } }
        if let reason = value["failed"]?.string {
            self = .failed(reason)
        } else if let copied = count("copied"), let pages = count("pages") {
            self = .progress(BackupProgress(pagesCopied: copied, pages: pages))
        } else if let rooms = count("rooms"), let messages = count("messages"), let users = count("users") {
            self = .done(StoreContents(rooms: rooms, messages: messages, users: users))
        } else {
            return nil
        }
    }
}
