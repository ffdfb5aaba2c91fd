import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An operating-system thread for a library whose calls block.
public final class WorkerThread: Sendable {
    /// The system gave no thread.
    public struct NotStarted: Error, CustomStringConvertible {
        public let description: String
    }

    private struct State {
        var isFinished = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: at most 15 bytes, as Linux shows it.
    ///   - body: owns its captures; the thread ends when it returns.
    public init(name: String, _ body: sending @escaping () -> Void) throws(NotStarted) {
        let start = Unmanaged.passRetained(Start(name: name, body: body, thread: self))
        #if canImport(Glibc)
            var thread = pthread_t()
        #else
            var thread: pthread_t?
        #endif
        let result = pthread_create(
            &thread, nil,
            { argument in
                #if canImport(Glibc)
                    let argument = argument!
                #endif
                Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            throw NotStarted(description: "no thread for \(name): \(String(cString: strerror(result)))")
        }
        #if canImport(Glibc)
            pthread_detach(thread)
        #else
            if let thread { pthread_detach(thread) }
        #endif
    }

    /// Starts the thread, or throws an error of the caller's own kind.
    ///
    /// - Parameter failure: makes an error of the reason why the system gave no thread.
    public static func start<Failure: Error>(
        name: String, orThrow failure: (_ reason: String) -> Failure, _ body: sending @escaping () -> Void
    ) throws(Failure) -> WorkerThread {
        do throws(NotStarted) {
            return try WorkerThread(name: name, body)
        } catch {
            throw failure(error.description)
        }
    }

    /// Returns once the thread's body has returned.
    public func finished() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                if !state.isFinished { state.waiters.append(continuation) }
                return state.isFinished
            }
            if isFinished { continuation.resume() }
        }
    }

    private func finish() {
        let waiters = state.withLock { state in
            state.isFinished = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The state of the C entry point, passed through its one pointer.
    private final class Start {
        let name: String
        private var body: (() -> Void)?
        let thread: WorkerThread

        init(name: String, body: @escaping () -> Void, thread: WorkerThread) {
            self.name = name
            self.body = body
            self.thread = thread
        }

        func run() {
            nameThread()
            body?()
            // The body's captures are released before `finished` returns anywhere.
            body = nil
            thread.finish()
        }

        private func nameThread() {
            #if canImport(Glibc)
                // Glibc hides pthread_setname_np from Swift; this file does the same.
                guard let file = fopen("/proc/thread-self/comm", "w") else { return }
                fputs(name, file)
                fclose(file)
            #else
                pthread_setname_np(name)
            #endif
        }
    }
}
