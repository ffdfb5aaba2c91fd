import ChatDomain
import Synchronization
import Workers

/// Moves the log's content into the database file while commits continue.
///
/// A long log is copied by a thread of its own, which takes nothing from the writer; what came meanwhile is little,
/// and the writer copies that itself between two transactions, so that its next one can start the log over.
final class Checkpointer {
    private var policy = CheckpointPolicy()
    private let helper: CheckpointHelper

    init(helper: CheckpointHelper) {
        self.helper = helper
    }

    /// To be called after every transaction, on the writer's thread.
    func committed(on connection: SQLiteConnection) {
        switch policy.next(loggedFrames: connection.loggedFrames, helperIsIdle: helper.isIdle) {
        case .none: break
        case .copyBeside: helper.start()
        // A failure shows as a log that stays long, and the next round tries again.
        case .finish: _ = try? connection.checkpoint()
        }
    }
}

/// When to copy the log.
struct CheckpointPolicy {
    enum Action {
        case none
        case copyBeside
        case finish
    }

    /// 32 MiB of pages: long enough that a page written often is copied seldom.
    static let frames = 8192

    private var isHelperAtWork = false
    /// A log that could not be started over, because a reader still needs it, is left alone until it has grown again.
    private var threshold = frames

    init() {}

    mutating func next(loggedFrames: Int, helperIsIdle: Bool) -> Action {
        if isHelperAtWork {
            guard helperIsIdle else { return .none }
            isHelperAtWork = false
            threshold = loggedFrames + Self.frames
            return .finish
        }
        if loggedFrames < Self.frames { threshold = Self.frames }
        guard loggedFrames >= threshold else { return .none }
        isHelperAtWork = true
        return .copyBeside
    }
}

/// The thread beside the writer, with a connection of its own.
final class CheckpointHelper: Sendable {
    private let requests = WorkQueue<Void>(capacity: 1)
    private let idle = Atomic(true)

    var isIdle: Bool { idle.load(ordering: .acquiring) }

    func start() {
        idle.store(false, ordering: .relaxed)
        if !requests.post(()) { idle.store(true, ordering: .relaxed) }
    }

    func run(on connection: SQLiteConnection) {
        // A connection that has read nothing yet does not know of the log.
        _ = try? connection.statement("SELECT 1 FROM settlements").first { _ in true }
        while requests.next() != nil {
            _ = try? connection.checkpoint()
            idle.store(true, ordering: .releasing)
        }
    }

    func close() { requests.close() }
}
