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

/// Takes `chat-service backup` while this process has the store open.
final class ControlServer {
    private let directory: String
    private let source: any DispatchSourceRead

    /// - Throws: when the data directory's file system has no sockets. The service runs without.
    init(directory: String, store: SQLiteStore, logger: Logger) throws(ControlSocket.Failure) {
        let listener = try ControlSocket.listen(in: directory)
        let desk = BackupDesk(store: store, logger: logger)
        self.directory = directory
        source = DispatchSource.makeReadSource(
            fileDescriptor: listener, queue: DispatchQueue(label: "chat-service.control"))
        source.setCancelHandler { close(listener) }
        source.setEventHandler {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            desk.serve(LineStream(descriptor))
        }
        source.activate()
    }

    func stop() {
        ControlSocket.remove(from: directory)
        source.cancel()
    }
}

/// Makes the backups that are asked for.
private struct BackupDesk: Sendable {
    /// Seconds that a command may take over its line, or over taking one.
    private static let patience = 5

    let store: SQLiteStore
    let logger: Logger

    func serve(_ stream: LineStream) {
        stream.limit(seconds: Self.patience)
        guard let line = stream.readLine(), let request = BackupRequest(line: line) else {
            _ = stream.write(line: BackupAnswer.failed("the request is not understood").line)
            return
        }
        Task {
            let answer = await perform(request, reportingTo: stream)
            _ = stream.write(line: answer.line)
        }
    }

    private func perform(_ request: BackupRequest, reportingTo stream: LineStream) async -> BackupAnswer {
        logger.info("backup begins", ["path": request.path])
        let link = Link(stream)
        do throws(StoreError) {
            let contents = try await store.backUp(
                to: request.path, replacing: request.replaces, isCancelled: { link.isBroken },
                report: { link.send(.progress($0)) })
            logger.notice("backup made", ["path": request.path, "messages": contents.messages])
            return .done(contents)
        } catch {
            logger.warning("backup failed", ["path": request.path, "reason": error.reason])
            return .failed(error.reason)
        }
    }

    /// The way back to the command: a backup nobody waits for any more is given up.
    private final class Link: Sendable {
        private let stream: LineStream
        private let broken = Atomic(false)

        init(_ stream: LineStream) { self.stream = stream }

        var isBroken: Bool { broken.load(ordering: .relaxed) }

        func send(_ answer: BackupAnswer) {
            if !stream.write(line: answer.line) { broken.store(true, ordering: .relaxed) }
        }
    }
}
