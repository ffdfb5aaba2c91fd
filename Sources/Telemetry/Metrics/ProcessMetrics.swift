#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The standard metrics of a process, under the names every Prometheus client library gives them. Where there is no `/proc`
/// only the CPU time and the descriptor limit are known.
public enum ProcessMetrics {
    public static func register(in registry: MetricsRegistry) {
        registry.counter(
            "process_cpu_seconds_total", help: "User and system CPU time spent, in seconds.", read: processorSeconds)
        registry.gauge("process_max_fds", help: "Most file descriptors the process may have open.") {
            Double(descriptorLimit())
        }
        #if os(Linux)
            registry.gauge(
                "process_resident_memory_bytes", help: "Resident memory size in bytes.", read: residentBytes)
            registry.gauge("process_virtual_memory_bytes", help: "Virtual memory size in bytes.") {
                Double(stat(field: 23) ?? 0)
            }
            registry.gauge("process_threads", help: "Threads of the process.") { Double(stat(field: 20) ?? 0) }
            registry.gauge("process_open_fds", help: "File descriptors the process has open.") {
                Double(openDescriptors())
            }
            let start = startSeconds()
            registry.gauge("process_start_time_seconds", help: "Start of the process, in seconds since the Unix epoch.")
            {
                start
            }
        #endif
    }

    /// The number of file descriptors this process may open (`RLIMIT_NOFILE`, soft).
    public static func descriptorLimit() -> Int {
        var limit = rlimit()
        #if canImport(Glibc)
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        #else
            guard getrlimit(RLIMIT_NOFILE, &limit) == 0 else { return 1024 }
        #endif
        return Int(clamping: limit.rlim_cur)
    }

    /// User and system time of this process until now, in seconds.
    @Sendable public static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    #if os(Linux)
        @Sendable static func residentBytes() -> Double {
            Double(stat(field: 24) ?? 0) * Double(sysconf(Int32(_SC_PAGESIZE)))
        }

        /// A field of `/proc/self/stat` by its number in proc(5). The second one may hold blanks, so counting starts behind it.
        private static func stat(field: Int) -> UInt64? {
            guard let text = readFile("/proc/self/stat"), let name = text.lastIndex(of: ")") else { return nil }
            let fields = text[name...].split(whereSeparator: \.isWhitespace)
            guard fields.indices.contains(field - 2) else { return nil }
            return UInt64(fields[field - 2])
        }

        private static func openDescriptors() -> Int {
            guard let directory = opendir("/proc/self/fd") else { return 0 }
            defer { closedir(directory) }
            var count = 0
            while readdir(directory) != nil { count += 1 }
            // Not counted: ".", "..", and the descriptor this function has open itself.
            return max(0, count - 3)
        }

        private static func startSeconds() -> Double {
            let boot = readFile("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
            let bootSeconds = boot.flatMap { Double($0.dropFirst(6)) } ?? 0
            return bootSeconds + Double(stat(field: 22) ?? 0) / Double(sysconf(Int32(_SC_CLK_TCK)))
        }

        private static func readFile(_ path: String) -> String? {
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 16_384)
            while true {
                let count = read(descriptor, &chunk, chunk.count)
                guard count > 0 else { break }
                bytes.append(contentsOf: chunk[..<count])
            }
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        }
    #endif
}
