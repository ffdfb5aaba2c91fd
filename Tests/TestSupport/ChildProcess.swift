import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A program that runs beside the tests, without input, and with no descriptor of theirs.
///
/// Foundation's `Process` crashes and waits for ever now and then where many processes start and end at the same time.
public final class ChildProcess: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// More than the tests have open.
    private static let maximumDescriptors: Int32 = 4096

    public let id: pid_t
    /// nil while it runs.
    private let status = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - path: of the program; without a slash it is looked for in `PATH`.
    ///   - output: the file that receives its standard output.
    public init(_ path: String, _ arguments: [String], output: String = "/dev/null") throws {
        #if canImport(Glibc)
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
        #else
            var actions: posix_spawn_file_actions_t?
            posix_spawn_file_actions_init(&actions)
        #endif
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Those that are not open are passed over.
        for descriptor in 3..<Self.maximumDescriptors { posix_spawn_file_actions_addclose(&actions, descriptor) }
        for (descriptor, file) in [(0, "/dev/null"), (1, output), (2, "/dev/null")] as [(Int32, String)] {
            posix_spawn_file_actions_addopen(&actions, descriptor, file, O_RDWR | O_CREAT, 0o600)
        }
        let words = ([path] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        var id = pid_t()
        let result = posix_spawnp(&id, path, &actions, nil, words + [nil], environ)
        guard result == 0 else {
            throw Failure(description: "cannot start \(path): \(String(cString: strerror(result)))")
        }
        self.id = id
    }

    public var isRunning: Bool { exitStatus == nil }

    /// As `waitpid` gives it; nil while the program runs.
    public var exitStatus: Int32? {
        status.withLock { status in
            var found: Int32 = 0
            if status == nil, waitpid(id, &found, WNOHANG) == id { status = found }
            return status
        }
    }

    public func send(_ signal: Int32) {
        status.withLock { if $0 == nil { _ = kill(id, signal) } }
    }

    /// Returns when the program has ended.
    @discardableResult
    public func waitForEnd() -> Int32 {
        while true {
            if let status = exitStatus { return status }
            usleep(1000)
        }
    }
}
