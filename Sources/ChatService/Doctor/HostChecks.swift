import Telemetry

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

/// What this host allows: descriptors, the kernel's queues, disk space, and the data directory.
enum HostChecks {
    private static let listenBacklog = 4096
    /// Descriptors besides those of connections.
    private static let otherDescriptors = 128
    private static let fewDescriptors = 65_536
    private static let littleSpace: UInt64 = 1 << 30
    private static let noSpace: UInt64 = 100 << 20
    private static let fewFiles: UInt64 = 1000

    static func findings(_ configuration: Configuration) -> [Finding] {
        var findings = limits(maximumConnections: configuration.limits.connections) + account()
        let data = configuration.usedDataDirectory
        if let data { findings += directory(data, holdsStore: configuration.store.isEmbedded) }
        let paths = [data, configuration.logging.directory].compactMap(\.self)
        return findings + paths.compactMap(space)
    }

    static func limits(maximumConnections: Int?) -> [Finding] {
        let backlog = (try? String(contentsOfFile: "/proc/sys/net/core/somaxconn", encoding: .utf8)).flatMap {
            Int($0.filter { !$0.isWhitespace })
        }
        return [descriptors(ProcessMetrics.descriptorLimit(), maximumConnections: maximumConnections)]
            + [backlog.map(Self.backlog)].compactMap(\.self)
    }

    static func descriptors(_ limit: Int, maximumConnections: Int?) -> Finding {
        let raise = "raise LimitNOFILE of the unit, ulimits of the container, or ulimit -n (docs/hosts.md)"
        let text = "a process started here may open \(limit) files"
        if let maximumConnections, maximumConnections + otherDescriptors > limit {
            return .error("descriptors", "\(text), and MAX_CONNECTIONS=\(maximumConnections) needs more", do: raise)
        }
        guard limit < fewDescriptors, maximumConnections == nil else { return .ok("descriptors", text) }
        return .warning("descriptors", "\(text), which bounds the connections", do: raise)
    }

    static func backlog(_ length: Int) -> Finding {
        guard length < listenBacklog else { return .ok("kernel", "net.core.somaxconn is \(length)") }
        return .warning(
            "kernel", "net.core.somaxconn is \(length); when many clients connect at once, some are not heard",
            do: "sysctl -w net.core.somaxconn=\(listenBacklog), or install deploy/sysctl/90-chat-service.conf")
    }

    private static func account() -> [Finding] {
        guard geteuid() == 0 else { return [] }
        return [
            .note("account", "this runs as root", do: "run the service with an account of its own, as the unit does")
        ]
    }

    private static func directory(_ path: String, holdsStore: Bool) -> [Finding] {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return [.note("data", "\(path) does not exist; the first start makes it")]
        }
        var findings: [Finding] = []
        if status.st_mode & 0o077 != 0 {
            findings.append(
                .warning("data", "other users of this host may open \(path)", do: "chmod 700 \(path)"))
        }
        if status.st_uid != geteuid() {
            findings.append(
                .note("data", "\(path) belongs to another account", do: "run doctor as the account of the service"))
        }
        if holdsStore, isOnNetwork(path) {
            findings.append(
                .error(
                    "data", "\(path) is on a network file system",
                    do: "put it on a local disk: SQLite's locks and syncs need one"))
        }
        return findings.isEmpty ? [.ok("data", "\(path) can be written, by its owner alone")] : findings
    }

    private static func isOnNetwork(_ path: String) -> Bool {
        guard let mounts = try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8) else { return false }
        guard let resolved = realpath(path, nil) else { return false }
        defer { free(resolved) }
        return isOnNetwork(String(cString: resolved), mounts: mounts)
    }

    /// - Parameters:
    ///   - path: absolute, without links.
    ///   - mounts: proc(5): a line for each mount, with its place as the second word and its type as the third.
    static func isOnNetwork(_ path: String, mounts: String) -> Bool {
        let types: Set<Substring> = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "fuse.sshfs"]
        var nearest: (place: Substring, type: Substring) = ("", "")
        for line in mounts.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 2 else { continue }
            let isAbove = words[1] == "/" || path == words[1] || path.hasPrefix(words[1] + "/")
            // Of two mounts at one place the later one counts.
            if isAbove, words[1].count >= nearest.place.count { nearest = (words[1], words[2]) }
        }
        return types.contains(nearest.type)
    }

    /// nil where nothing can be said.
    private static func space(_ path: String) -> Finding? {
        var status = statvfs()
        guard statvfs(existing(path), &status) == 0 else { return nil }
        let (free, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        let files = status.f_files == 0 ? UInt64.max : UInt64(status.f_favail)
        return space(path, freeBytes: overflow ? .max : free, freeFiles: files)
    }

    static func space(_ path: String, freeBytes: UInt64, freeFiles: UInt64) -> Finding {
        let advice = "make room on the disk of \(path), or put it on another"
        guard freeFiles >= fewFiles else {
            return .error("disk", "the disk of \(path) takes only \(freeFiles) more files", do: advice)
        }
        let text = "the disk of \(path) has \(freeBytes >> 20) MiB left"
        if freeBytes < noSpace { return .error("disk", text, do: advice) }
        return freeBytes < littleSpace ? .warning("disk", text, do: advice) : .ok("disk", text)
    }

    /// The path, or the nearest directory above it that exists.
    private static func existing(_ path: String) -> String {
        var url = URL(fileURLWithPath: path)
        while url.path != "/", access(url.path, F_OK) != 0 { url.deleteLastPathComponent() }
        return url.path
    }
}

extension Configuration {
    /// nil where neither the store nor rooms' files are in it.
    fileprivate var usedDataDirectory: String? {
        store.isEmbedded || files?.store == .disk ? dataDirectory : nil
    }
}

extension Configuration.Store {
    var isEmbedded: Bool { if case .embedded = self { true } else { false } }
}
