#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// CPU time of processes, in user and kernel mode.
enum ProcessTime {
    /// In microseconds, for each process; nil when there is no process, or when one cannot be read.
    static func microseconds(of processes: [Int32]) -> [Int64]? {
        guard !processes.isEmpty else { return nil }
        let tick = Int64(1_000_000 / max(sysconf(Int32(_SC_CLK_TCK)), 1))
        var times: [Int64] = []
        for process in processes {
            // proc(5): the second field may hold blanks, so counting starts behind it.
            guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
                let end = text.lastIndex(of: ")")
            else { return nil }
            let fields = text[end...].split(separator: " ")
            guard fields.count > 13, let user = Int64(fields[12]), let system = Int64(fields[13]) else { return nil }
            times.append((user + system) * tick)
        }
        return times
    }
}
