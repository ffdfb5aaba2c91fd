import ChatDomain
import EventLoop
import JSON

/// One connection of a presence bench: a user, or one who watches others. Confined to its loop.
final class PresenceClient {
    enum Event: Sendable {
        /// It is known to the server.
        case ready(socketID: String)
        case snapshot
        case change(user: Int, PresenceStatus)
        case count(Int)
        case refused(String)
        case lost(String)
    }

    static let userPrefix = "bench-user-"
    static let watcherPrefix = "bench-watcher-"

    static func name(user: Int) -> String { userPrefix + String(user) }

    private let name: String
    private let context: BenchContext
    private let report: @Sendable (Event) -> Void
    private var link: BenchWebSocket?

    init(name: String, context: BenchContext, report: @escaping @Sendable (Event) -> Void) throws(ConnectError) {
        self.name = name
        self.context = context
        self.report = report
        link = try BenchWebSocket(context, path: "/") { [unowned self] in heard($0) }
    }

    func watch(_ users: Range<Int>) {
        let list = users.map { "\"\(Self.name(user: $0))\"" }.joined(separator: ",")
        say("subscribe_presence", #"{"userIds":[\#(list)]}"#)
    }

    func set(_ status: PresenceStatus) { say("set_status", #"{"status":"\#(status.rawValue)"}"#) }
    func askForCount() { say("get_online_count", "{}") }

    /// Breaks off without a word.
    func close() { link?.close() }

    private func say(_ event: String, _ data: String) { link?.say(BenchFraming.event.text(event, data)) }

    private func heard(_ event: BenchLinkEvent) {
        switch event {
        case .opened: say("authenticate", #"{"userId":"\#(name)"}"#)
        case .text(let bytes): take(bytes)
        case .lost(let reason): report(.lost(reason))
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard let (event, data) = BenchFraming.event.read(bytes, context.parser) else { return }
        switch event {
        case "authenticated": report(.ready(socketID: data?["socketId"]?.string ?? ""))
        case "presence_snapshot": report(.snapshot)
        case "user_status_change":
            // One's own status comes too; it is nothing one is owed.
            guard let id = data?["userId"]?.string, id.hasPrefix(Self.userPrefix),
                let user = Int(id.dropFirst(Self.userPrefix.count)),
                let status = data?["status"]?.string.flatMap(PresenceStatus.init)
            else { return }
            report(.change(user: user, status))
        case "online_count": report(.count(data?["count"]?.integer.map { Int($0) } ?? -1))
        case "error": report(.refused(data?["code"]?.string ?? "error"))
        default: break
        }
    }
}
