import ChatDomain
import ChatProtocol

/// A client's commands that are under way, and those behind them.
///
/// Commands take effect in the order they came: one that needs an answer from elsewhere holds up those behind it, except
/// messages to one room, whose order the room keeps itself. Where a hook decides about each text, messages wait for one another too.
struct RequestQueue {
    struct Request {
        let event: String
        let command: ClientCommand
        let tag: RequestTag?
        /// When it came: a request that waits behind others has waited already when its turn comes.
        let since: Moment
    }

    /// Commands under way and waiting; a client that has this many is not read until some are answered.
    static let maximumPending = 64
    /// Commands that may wait behind those under way. Reading stops earlier; a polling client's one body may hold more.
    static let maximumWaiting = 1024

    /// Seldom more than one or two, and none while nothing is asked: neither list keeps its memory then.
    private var underWay: [(number: UInt32, request: Request)] = []
    private var waiting: [Request] = []
    private var lastNumber: UInt32 = 0
    private let pipelines: Bool

    /// - Parameter pipelines: whether messages to one room may be under way together.
    init(pipelines: Bool = true) { self.pipelines = pipelines }

    /// Whether the client is to wait before it asks more.
    var isFull: Bool { waiting.count + underWay.count >= Self.maximumPending }

    /// Everything under way or waiting.
    var all: [Request] { underWay.map(\.request) + waiting }

    /// Whether the request may be started now.
    ///
    /// - Parameter takesMore: whether a large answer may be made; asked only for a request with one.
    func mayStart(_ request: Request, takesMore: () -> Bool) -> Bool {
        waiting.isEmpty && isUnhindered(request, takesMore: takesMore)
    }

    private func isUnhindered(_ request: Request, takesMore: () -> Bool) -> Bool {
        if request.command.isAnsweredAtLength, !takesMore() { return false }
        guard !underWay.isEmpty else { return true }
        guard pipelines, underWay.count < Self.maximumPending, let room = request.command.pipelinedRoom else {
            return false
        }
        return underWay.first?.request.command.pipelinedRoom == room
    }

    /// Lets a request wait; false when too many do.
    mutating func wait(_ request: Request) -> Bool {
        guard waiting.count < Self.maximumWaiting else { return false }
        waiting.append(request)
        return true
    }

    /// Takes out the request whose turn has come; nil when none may start.
    mutating func takeNext(takesMore: () -> Bool) -> Request? {
        guard let next = waiting.first, isUnhindered(next, takesMore: takesMore) else { return nil }
        if waiting.count == 1 { waiting = [] } else { waiting.removeFirst() }
        return next
    }

    /// Notes a request that will be answered from elsewhere; the number to finish it by.
    mutating func begin(_ request: Request) -> UInt32 {
        lastNumber &+= 1
        underWay.append((lastNumber, request))
        return lastNumber
    }

    /// Ends a request that was under way; nil for one that is not any more.
    mutating func finish(_ number: UInt32) -> Request? {
        guard let index = underWay.firstIndex(where: { $0.number == number }) else { return nil }
        let request = underWay[index].request
        if underWay.count == 1 { underWay = [] } else { underWay.remove(at: index) }
        return request
    }

    mutating func removeAll() {
        underWay = []
        waiting = []
    }
}
