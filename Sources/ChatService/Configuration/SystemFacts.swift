import ChatDomain
import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What defaults depend on and only the running process knows; given, so that a test can say something else.
struct SystemFacts: Sendable {
    var cores: Int
    var instance: InstanceID
    var isTerminal: Bool
    /// Where the chat page is, if it was found.
    var clientDirectory: String?

    static func current() -> Self {
        Self(
            cores: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), instance: randomInstance(),
            isTerminal: StandardErrorSink.isTerminal, clientDirectory: findClientDirectory())
    }

    /// Eight letters and digits: about 41 bits, so that no two processes of a fleet meet.
    private static func randomInstance() -> InstanceID {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return InstanceID(String((0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }))
    }

    /// In the working directory, else beside the executable or in a directory above it (a build folder lies in its package).
    private static func findClientDirectory() -> String? {
        var candidates = ["."]
        if var directory = executablePath() {
            for _ in 0..<5 {
                guard let slash = directory.lastIndex(of: "/") else { break }
                directory = String(directory[..<slash])
                candidates.append(directory)
            }
        }
        return candidates.map { "\($0)/client-example" }.first { access("\($0)/index.html", R_OK) == 0 }
    }

    private static func executablePath() -> String? {
        #if os(Linux)
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let length = readlink("/proc/self/exe", &buffer, buffer.count)
            guard length > 0 else { return nil }
            return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #else
            return CommandLine.arguments.first
        #endif
    }
}
