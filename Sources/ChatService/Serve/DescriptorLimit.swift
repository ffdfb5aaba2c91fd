#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How many files this process may open (`RLIMIT_NOFILE`).
enum DescriptorLimit {
    /// Raises the limit in force to the most that this process may set. Runtimes start processes with a low limit for the sake of programs that use
    /// select(2); nothing here does.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        // Where the system refuses, the limit in force stays.
        _ = setrlimit(resource, &limit)
    }

    #if canImport(Glibc)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif
}
