import ChatDomain
import Dispatch
import PersistenceSQLite
import Synchronization
import Telemetry

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Receives requests of `chat-service backup` while this process has the store open.
final class ControlServer {
    private let directory: String
    private let source: any DispatchSourceRead

    /// - Throws: when the data directory's file system has no sockets. The service runs without.
    init(directory: String, store: SQLiteStore, logger: Logger) throws(ControlSocket.Failure) {
        let listener = try ControlSocket.listen(in: directory)
        let backups = BackupService(store: store, logger: logger)
        self.directory = directory
        source = DispatchSource.makeReadSource(
            fileDescriptor: listener, queue: DispatchQueue(label: "chat-service.control"))
        source.setCancelHandler { close(listener) }
        source.setEventHandler {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            backups.serve(LineStream(descriptor))
        }
        source.activate()
    }

    func stop() {
        ControlSocket.remove(from: directory)
        source.cancel()
    }
}

/// Makes the backups that commands request.
private struct BackupService: Sendable {
    /// How long a command may take to send a line, or to accept one.
    private static let lineTimeout: Duration = .seconds(5)

    let store: SQLiteStore
    let logger: Logger

    func serve(_ stream: LineStream) {
        stream.setTimeout(Self.lineTimeout)
        guard let line = stream.readLine(), let request = BackupRequest(line: line) else {
            _ = stream.write(line: BackupAnswer.failed("the request is malformed").line)
            return
        }
        Task {
            let answer = await perform(request, reportingTo: stream)
            _ = stream.write(line: answer.line)
        }
    }

    private func perform(_ request: BackupRequest, reportingTo stream: LineStream) async -> BackupAnswer {
        logger.info("backup started", ["path": request.path])
        let connection = CommandConnection(stream)
        do throws(StoreError) {
            let contents = try await store.backUp(
                to: request.path, replacing: request.replaces, isCancelled: { connection.isBroken },
                report: { connection.send(.progress($0)) })
            logger.notice("backup made", ["path": request.path, "messages": contents.messages])
            return .done(contents)
        } catch {
            logger.warning("backup failed", ["path": request.path, "reason": error.reason])
            return .failed(error.reason)
        }
    }

    /// The connection to the command. A backup is cancelled when the command is gone.
    private final class CommandConnection: Sendable {
        private let stream: LineStream
        private let broken = Atomic(false)

        init(_ stream: LineStream) { self.stream = stream }

        var isBroken: Bool { broken.load(ordering: .relaxed) }

        func send(_ answer: BackupAnswer) {
            if !stream.write(line: answer.line) { broken.store(true, ordering: .relaxed) }
        }
    }
}
