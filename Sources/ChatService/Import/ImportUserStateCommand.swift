import ChatDomain
import Telemetry

/// `chat-service import-user-state FILE`: imports when users were last seen. It may be repeated; later times win.
enum ImportUserStateCommand {
    private static let maximumBytes = 64 << 20
    private static let usersAtOnce = 500

    static func run(_ loaded: LoadedConfiguration, path: String) async -> Int32 {
        let logger = Logger(level: .info, format: loaded.configuration.logging.format, sink: StandardErrorSink())
        do {
            guard let bytes = try BoundedFile.bytes(at: path, upTo: maximumBytes) else {
                logger.error("the file does not exist", ["path": path])
                return ExitCode.failure
            }
            let entries = try UserStateFile(bytes).entries
            let store = try await loaded.configuration.openStore()
            for start in stride(from: 0, to: entries.count, by: usersAtOnce) {
                try await write(entries[start..<min(start + usersAtOnce, entries.count)], to: store)
            }
            await store.close()
            logger.notice("imported", ["users": entries.count])
            return ExitCode.success
        } catch {
            logger.error("cannot import: \(error)")
            return ExitCode.failure
        }
    }

    private static func write(
        _ entries: ArraySlice<UserStateFile.Entry>, to store: any DurableStore
    ) async throws(StoreError) {
        for entry in entries {
            if let name = entry.profile.username { try await store.update(entry.user, Profile(username: name)) }
        }
        var seen: [UserID: Timestamp] = [:]
        for entry in entries {
            if let time = entry.profile.lastSeen { seen[entry.user] = max(seen[entry.user] ?? time, time) }
        }
        if !seen.isEmpty { try await store.recordLastSeen(seen) }
    }
}
