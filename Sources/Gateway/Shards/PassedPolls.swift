import ChatCore
import Engine
import EventLoop
import WireProtocols

/// Engine.IO requests that came in on one shard for a session of another: a poll is answered where it came in, so its
/// request goes to the session's shard and the response comes back.
final class PassedPolls {
    private struct ForeignPoll: Hashable {
        let shard: UInt16
        let ticket: UInt64
    }

    private let index: UInt16
    private let mailboxes: [Mailbox<PollMessage>]
    /// Polls passed on to other shards.
    private var passed: [UInt64: HTTPResponder] = [:]
    /// Polls of other shards held here.
    private var held: [ForeignPoll: HTTPResponder] = [:]
    private var lastTicket: UInt64 = 0
    private var batch: [PollMessage] = []

    init(index: UInt16, mailboxes: [Mailbox<PollMessage>]) {
        self.index = index
        self.mailboxes = mailboxes
    }

    /// Passes a request on to the shard of its session.
    ///
    /// - Parameter responder: answers the connection once the response is back.
    func pass(
        _ kind: EngineIORequest, _ request: HTTPRequest, from connection: Connection, to owner: UInt16,
        answering responder: HTTPResponder
    ) {
        lastTicket += 1
        let ticket = lastTicket
        passed[ticket] = responder
        // A client that goes while its poll is held elsewhere has to be missed there.
        connection.attachment = PassedPoll { [unowned self] in
            guard passed.removeValue(forKey: ticket) != nil else { return }
            post(.pollAbandoned(ticket, by: index), to: owner)
        }
        post(.poll(ticket, from: index, kind, request), to: owner)
    }

    /// Passes a connection that becomes a WebSocket on, with its socket.
    func pass(_ kind: EngineIORequest, _ request: HTTPRequest, moving: Handover<DetachedConnection>, to owner: UInt16) {
        post(.upgrade(kind, request, moving), to: owner)
    }

    private func post(_ message: PollMessage, to shard: UInt16) { mailboxes[Int(shard)].post(message) }

    /// Handles what other shards posted.
    func drainMailbox(into engineIO: EngineIOServer, of engine: EngineContext) {
        mailboxes[Int(index)].takeAll(leaving: &batch)
        for message in batch { dispatch(message, engineIO, engine) }
        batch.removeAll(keepingCapacity: batch.count <= 1024)
    }

    private func dispatch(_ message: PollMessage, _ engineIO: EngineIOServer, _ engine: EngineContext) {
        switch message {
        case .poll(let ticket, let origin, let kind, let request):
            let key = ForeignPoll(shard: origin, ticket: ticket)
            let responder = HTTPResponder { [unowned self] response in
                held[key] = nil
                post(.polled(ticket, response), to: origin)
            }
            held[key] = responder
            engineIO.handle(kind, request, responder)
        case .polled(let ticket, let response): passed.removeValue(forKey: ticket)?.respond(response)
        case .pollAbandoned(let ticket, let origin):
            held.removeValue(forKey: ForeignPoll(shard: origin, ticket: ticket))?.abandoned()
        case .upgrade(let kind, let request, let moving):
            let connection = engine.adopt(moving)
            if let refusal = engineIO.upgrade(kind, request, on: connection) { connection.respond(refusal) }
        }
    }
}

/// A passed-on poll, as the attachment of its connection.
final class PassedPoll {
    private let abandon: () -> Void

    init(abandon: @escaping () -> Void) { self.abandon = abandon }

    func abandoned() { abandon() }
}
