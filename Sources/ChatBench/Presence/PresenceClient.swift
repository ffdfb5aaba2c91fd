import ChatDomain
import EventLoop
import JSON

/// One connection of a presence bench: a user or a watcher. Confined to its loop.
final class PresenceClient {
    enum Event: Sendable {
        /// The server has authenticated the client.
        case authenticated(instance: String)
        case snapshot
        case change(user: Int, PresenceStatus)
        case count(Int)
        case refused
        case lost(String)
    }

    static let userPrefix = "bench-user-"
    private static let watcherPrefix = "bench-watcher-"

    static func name(user: Int) -> String { userPrefix + String(user) }
    static func name(watcher: Int) -> String { watcherPrefix + String(watcher) }

    private let name: String
    private let context: BenchContext
    private let report: @Sendable (Event) -> Void
    private var channel: BenchWebSocketChannel?

    init(name: String, context: BenchContext, report: @escaping @Sendable (Event) -> Void) throws(ConnectError) {
        self.name = name
        self.context = context
        self.report = report
        channel = try BenchWebSocketChannel(context, path: "/") { [unowned self] in received($0) }
    }

    func watch(_ users: Range<Int>) {
        let list = users.map { "\"\(Self.name(user: $0))\"" }.joined(separator: ",")
        send("subscribe_presence", #"{"userIds":[\#(list)]}"#)
    }

    func set(_ status: PresenceStatus) { send("set_status", #"{"status":"\#(status.rawValue)"}"#) }
    func requestCount() { send("get_online_count", "{}") }

    /// Closes the connection without a closing handshake.
    func close() { channel?.close() }

    private func send(_ event: String, _ data: String) { channel?.send(BenchFraming.event.text(event, data)) }

    private func received(_ event: BenchChannelEvent) {
        switch event {
        case .opened: send("authenticate", #"{"userId":"\#(name)"}"#)
        case .text(let bytes): receivedText(bytes)
        case .lost(let reason): report(.lost(reason))
        }
    }

    private func receivedText(_ bytes: UnsafeRawBufferPointer) {
        guard let (event, data) = BenchFraming.event.read(bytes, context.parser) else { return }
        switch event {
        case "authenticated":
            report(.authenticated(instance: BenchFraming.instance(ofSession: data?["socketId"]?.string ?? "")))
        case "presence_snapshot": report(.snapshot)
        case "user_status_change":
            // The server also sends a watcher its own status, which the bench does not count.
            guard let id = data?["userId"]?.string, id.hasPrefix(Self.userPrefix),
                let user = Int(id.dropFirst(Self.userPrefix.count)),
                let status = data?["status"]?.string.flatMap(PresenceStatus.init)
            else { return }
            report(.change(user: user, status))
        case "online_count": report(.count(data?["count"]?.integer.map { Int($0) } ?? -1))
        case "error": report(.refused)
        default: break
        }
    }
}
