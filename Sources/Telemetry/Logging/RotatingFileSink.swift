import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Log files of bounded size and number: `<name>.log` is the newest, `<name>.1.log` the one before it, and so on.
///
/// A line that cannot be written (disk full, directory gone) is counted, and the next one tries to open the file anew.
public final class RotatingFileSink: LogSink {
    /// The directory cannot be used.
    public struct Unusable: Error, Equatable, CustomStringConvertible {
        public let path: String
        public let reason: String
        public var description: String { "cannot write \(path): \(reason)" }
    }

    private struct State {
        var descriptor: Int32?
        var size = 0
        var lost = 0
    }

    private let directory: String
    private let name: String
    private let maximumBytes: Int
    private let files: Int
    private let state: Mutex<State>

    /// - Parameters:
    ///   - directory: made when it is missing (one level).
    ///   - maximumBytes: size at which a file is rotated; a single longer line still goes into one file.
    ///   - files: how many are kept, the current one included; at least 1.
    public init(directory: String, name: String, maximumBytes: Int = 16 << 20, files: Int = 8) throws(Unusable) {
        self.directory = directory
        self.name = name
        self.maximumBytes = maximumBytes
        self.files = max(1, files)
        _ = mkdir(directory, 0o755)
        var first = State()
        Self.open("\(directory)/\(name).log", into: &first)
        guard first.descriptor != nil else {
            throw Unusable(path: "\(directory)/\(name).log", reason: String(cString: strerror(errno)))
        }
        self.state = Mutex(first)
    }

    deinit {
        state.withLock { if let descriptor = $0.descriptor { close(descriptor) } }
    }

    /// Lines that could not be written so far.
    public var lostLines: Int { state.withLock { $0.lost } }

    public func write(_ line: [UInt8]) {
        state.withLock { state in
            if state.size > 0, state.size + line.count > maximumBytes { rotate(&state) }
            if state.descriptor == nil { Self.open(path(0), into: &state) }
            guard let descriptor = state.descriptor, writeAll(line, to: descriptor) else {
                state.lost += 1
                if let descriptor = state.descriptor { close(descriptor) }
                state.descriptor = nil
                return
            }
            state.size += line.count
        }
    }

    private func path(_ age: Int) -> String {
        age == 0 ? "\(directory)/\(name).log" : "\(directory)/\(name).\(age).log"
    }

    private func rotate(_ state: inout State) {
        if let descriptor = state.descriptor { close(descriptor) }
        state.descriptor = nil
        for age in stride(from: files - 1, to: 0, by: -1) { _ = rename(path(age - 1), path(age)) }
        if files == 1 { _ = unlink(path(0)) }
    }

    private static func open(_ path: String, into state: inout State) {
        #if canImport(Glibc)
            let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        #else
            let descriptor = Darwin.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        #endif
        guard descriptor >= 0 else { return }
        state.descriptor = descriptor
        state.size = max(0, Int(lseek(descriptor, 0, SEEK_END)))
    }
}
