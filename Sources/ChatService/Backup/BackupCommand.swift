import ChatDomain
import JSON
import PersistenceSQLite
import Telemetry

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `chat-service backup FILE`: copies the embedded store. A running service makes the copy; without one this process does.
enum BackupCommand {
    static func run(
        _ loaded: LoadedConfiguration, _ request: BackupArguments, print: (String) -> Void
    ) -> Int32 {
        StoreCommand.run(loaded, verb: "back up") { directory, logger throws(StoreError) in
            let path = URL(fileURLWithPath: request.path).path
            let contents = try make(of: directory, BackupRequest(path: path, replaces: request.isForced))
            logger.with(["path": path]).notice("backup made", StoreCommand.fields(contents))
            if request.printsJSON { print(StoreCommand.json(contents, "path", path)) }
        }
    }

    private static func make(of directory: String, _ request: BackupRequest) throws(StoreError) -> StoreContents {
        let server: LineStream?
        do throws(ControlSocket.Failure) { server = try ControlSocket.connect(in: directory) } catch {
            throw .unavailable(reason: error.description)
        }
        if let server { return try ask(server, request) }
        return try SQLiteStore.backUp(directory: directory, to: request.path, replacing: request.replaces)
    }

    private static func ask(_ server: LineStream, _ request: BackupRequest) throws(StoreError) -> StoreContents {
        guard server.write(line: request.line) else { throw .unavailable(reason: "the server closed the connection") }
        while let line = server.readLine() {
            switch BackupAnswer(line: line) {
            case .done(let contents): return contents
            case .failed(let reason): throw .unavailable(reason: reason)
            case .progress, nil: continue
            }
        }
        throw .unavailable(reason: "the server ended before the backup was made")
    }
}

/// `chat-service restore FILE`: replaces the embedded store by a backup. The previous store is kept in a directory beside it.
enum RestoreCommand {
    static func run(
        _ loaded: LoadedConfiguration, _ request: RestoreArguments, print: (String) -> Void
    ) -> Int32 {
        StoreCommand.run(loaded, verb: "restore") { directory, logger throws(StoreError) in
            let restoration = try SQLiteStore.restore(request.path, into: directory)
            logger.with(["previous": restoration.previous])
                .notice("restored", StoreCommand.fields(restoration.contents))
            if request.printsJSON {
                print(StoreCommand.json(restoration.contents, "previous", restoration.previous))
            }
        }
    }
}

/// The frame of commands on the embedded store: they need its directory, and log how they ended.
enum StoreCommand {
    static func run(
        _ loaded: LoadedConfiguration, verb: String,
        _ body: (_ directory: String, Logger) throws(StoreError) -> Void
    ) -> Int32 {
        let logger = Logger(level: .info, format: loaded.configuration.logging.format, sink: StandardErrorSink())
        guard case .embedded(let directory) = loaded.configuration.store else {
            logger.error("cannot \(verb) the store: it is MongoDB, which has its own tools")
            return ExitCode.configuration
        }
        do throws(StoreError) {
            try body(directory, logger)
            return ExitCode.success
        } catch {
            logger.error("cannot \(verb): \(error.reason)")
            return ExitCode.failure
        }
    }

    static func fields(_ contents: StoreContents) -> LogFields {
        ["rooms": contents.rooms, "messages": contents.messages, "users": contents.users]
    }

    /// - Parameters:
    ///   - name: of the path that belongs to the result.
    ///   - path: nil: none.
    static func json(_ contents: StoreContents, _ name: StaticString, _ path: String?) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("rooms", contents.rooms)
            writer.member("messages", contents.messages)
            writer.member("users", contents.users)
            if let path { writer.member(name, path) }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
