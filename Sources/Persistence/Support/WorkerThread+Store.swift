import ChatDomain
import Workers

extension WorkerThread {
    /// Starts a thread for a store.
    ///
    /// - Throws: `.unavailable` when the system gives no thread.
    static func start(name: String, _ body: sending @escaping () -> Void) throws(StoreError) -> WorkerThread {
        do throws(NotStarted) {
            return try WorkerThread(name: name, body)
        } catch {
            throw .unavailable(reason: error.description)
        }
    }
}
