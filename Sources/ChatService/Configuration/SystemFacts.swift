import ChatDomain
import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Facts of the running process that defaults depend on. They are given, so that a test can set them.
struct SystemFacts: Sendable {
    var cores: Int
    var instance: InstanceID
    var isTerminal: Bool
    /// The directory of the chat page, if it was found.
    var clientDirectory: String?
    /// The directory of the page for operators, if it was found.
    var adminDirectory: String?

    static func current() -> Self {
        Self(
            cores: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), instance: randomInstance(),
            isTerminal: StandardErrorSink.isTerminal, clientDirectory: findPage("client-example"),
            adminDirectory: findPage("admin-page"))
    }

    /// Eight letters and digits: about 41 bits, so that two processes of a fleet do not get the same id.
    private static func randomInstance() -> InstanceID {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return InstanceID(String((0..<8).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] }))
    }

    /// Looks in the working directory, then beside the executable and in the directories above it, as a build folder lies in its
    /// package.
    private static func findPage(_ name: String) -> String? {
        var candidates = ["."]
        if var directory = executablePath() {
            for _ in 0..<5 {
                guard let slash = directory.lastIndex(of: "/") else { break }
                directory = String(directory[..<slash])
                candidates.append(directory)
            }
        }
        return candidates.map { "\($0)/\(name)" }.first { access("\($0)/index.html", R_OK) == 0 }
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
