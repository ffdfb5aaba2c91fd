import ChatDomain
import CRabbitMQ

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One connection to the broker, from sign-in to its end, used by one thread. Its calls block, each no longer than the
/// endpoint's time limit.
final class BrokerSession {
    /// What is published and confirmed goes over one channel; queues are asked for over another, since the broker closes
    /// a channel that names a queue it does not have.
    private static let publishing: amqp_channel_t = 1
    private static let asking: amqp_channel_t = 2
    private static let frameBytes: Int32 = 131_072

    let connection: amqp_connection_state_t
    private let queue: String
    private let limit: CallLimit
    private let heartbeatTimeout: Int64
    private var confirms = ConfirmTracker()
    /// Something was returned: the queue has to be looked for before anything else is published.
    private var isQueueInDoubt = false
    /// Why the broker asked not to be sent to for a while: it is out of memory or disk. Nil while it takes what comes.
    private(set) var blockedReason: String?

    /// Connects, signs in, and makes the queue where it does not exist.
    ///
    /// - Parameter limit: watches over this connection's calls from here on.
    init(_ endpoint: RabbitMQEndpoint, queue: String, limit: CallLimit) throws(BrokerError) {
        guard let connection = amqp_new_connection() else { throw .unreachable(reason: "no memory is left") }
        self.connection = connection
        self.queue = queue
        self.limit = limit
        heartbeatTimeout = Int64(endpoint.timeoutMilliseconds)
        var answer = timeval(milliseconds: endpoint.timeoutMilliseconds)
        amqp_set_handshake_timeout(connection, &answer)
        amqp_set_rpc_timeout(connection, &answer)
        try BrokerSocket.open(endpoint, for: connection)
        limit.begin(socket)
        try limit.call(within: heartbeatTimeout) { () throws(BrokerError) in try signIn(endpoint) }
        try limit.call(within: heartbeatTimeout * 2) { () throws(BrokerError) in
            _ = amqp_channel_open(connection, Self.publishing)
            try check()
            _ = amqp_confirm_select(connection, Self.publishing)
            try check()
        }
        try limit.call(within: heartbeatTimeout * 3) { () throws(BrokerError) in try provideQueue() }
    }

    deinit {
        limit.end()
        amqp_destroy_connection(connection)
    }

    var socket: Int32 { amqp_get_sockfd(connection) }

    /// Says good-bye to a broker that listens; it is done with all that was confirmed.
    func close() {
        guard blockedReason == nil else { return }
        try? limit.call(within: heartbeatTimeout) { () throws(BrokerError) in
            _ = amqp_connection_close(connection, AMQP_REPLY_SUCCESS)
        }
    }

    func publish(_ event: BrokerEvent) throws(BrokerError) {
        try limit.call(within: heartbeatTimeout) { () throws(BrokerError) in try write(event) }
    }

    private func write(_ event: BrokerEvent) throws(BrokerError) {
        if isQueueInDoubt {
            try provideQueue()
            isQueueInDoubt = false
        }
        let status = event.send(over: connection, Self.publishing, to: queue)
        if status == AMQP_STATUS_BAD_AMQP_DATA.rawValue || status == AMQP_STATUS_TABLE_TOO_BIG.rawValue {
            throw .unsendable(reason: "\(event.messageID): \(String(cString: amqp_error_string2(status)))")
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw .failed(status) }
        confirms.published(tag: event.tag, messageID: event.messageID)
    }

    /// Everything the broker has answered so far; does not wait, and keeps the heartbeat going.
    func settled() throws(BrokerError) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        try limit.call(within: heartbeatTimeout) { () throws(BrokerError) in try read() }
    }

    private func read() throws(BrokerError) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        var settled: [(tag: UInt64, outcome: BrokerOutcome)] = []
        while let frame = try nextFrame() {
            if frame.frame_type == AMQP_FRAME_HEADER { noteReturned(frame) }
            if frame.frame_type == AMQP_FRAME_METHOD { settled += try handle(frame.payload.method) }
        }
        amqp_maybe_release_buffers(connection)
        return settled
    }

    private func nextFrame() throws(BrokerError) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var atOnce = timeval()
        let status = amqp_simple_wait_frame_noblock(connection, &frame, &atOnce)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        guard status == AMQP_STATUS_OK.rawValue else { throw .failed(status) }
        return frame
    }

    private func handle(_ method: amqp_method_t) throws(BrokerError) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        switch method.id {
        case CHAT_AMQP_METHOD_ACK:
            guard let ack = method.decoded?.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee else { return [] }
            return confirms.answered(delivery: ack.delivery_tag, multiple: ack.multiple != 0, taken: true)
        case CHAT_AMQP_METHOD_NACK:
            guard let nack = method.decoded?.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee else { return [] }
            return confirms.answered(delivery: nack.delivery_tag, multiple: nack.multiple != 0, taken: false)
        case CHAT_AMQP_METHOD_BLOCKED:
            let reason = method.decoded?.assumingMemoryBound(to: amqp_connection_blocked_t.self).pointee.reason
            blockedReason = reason.map { String(String($0).prefix(64)) } ?? "no reason given"
        case CHAT_AMQP_METHOD_UNBLOCKED: blockedReason = nil
        case CHAT_AMQP_METHOD_CHANNEL_CLOSE,
            CHAT_AMQP_METHOD_CONNECTION_CLOSE:
            throw .disconnected(reason: method.closeReason?.text ?? "closed by the broker")
        default: break
        }
        return []
    }

    /// A returned event comes with its properties; the acknowledgement follows.
    private func noteReturned(_ frame: amqp_frame_t) {
        guard
            let properties = frame.payload.properties.decoded?.assumingMemoryBound(to: amqp_basic_properties_t.self),
            properties.pointee._flags & CHAT_AMQP_HAS_MESSAGE_ID != 0
        else { return }
        isQueueInDoubt = true
        confirms.returned(messageID: String(properties.pointee.message_id))
    }

    private func signIn(_ endpoint: RabbitMQEndpoint) throws(BrokerError) {
        let reply = chat_amqp_login(
            connection, endpoint.virtualHost, Self.frameBytes, Int32(clamping: endpoint.heartbeatSeconds),
            endpoint.user, endpoint.password)
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            throw .denied(reason: reply.reply.closeReason?.text ?? "no reason given")
        default: throw .failed(reply.library_error)
        }
    }

    /// Looks whether the queue exists, whatever it was declared with, and makes a durable one only where there is none.
    private func provideQueue() throws(BrokerError) {
        _ = amqp_channel_open(connection, Self.asking)
        try check()
        if case .missing = try declare(passively: true) {
            _ = amqp_channel_open(connection, Self.asking)
            try check()
            guard case .present = try declare(passively: false) else {
                throw .queueUnusable(name: queue, reason: "it is neither there nor can it be made")
            }
        }
        _ = amqp_channel_close(connection, Self.asking, AMQP_REPLY_SUCCESS)
    }

    private enum Declaration {
        case present, missing
    }

    private func declare(passively: Bool) throws(BrokerError) -> Declaration {
        var name = queue
        name.withUTF8 { name in
            _ = amqp_queue_declare(
                connection, Self.asking, amqp_bytes_t(name), passively ? 1 : 0, 1, 0, 0, amqp_empty_table)
        }
        let reply = amqp_get_rpc_reply(connection)
        guard reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, let reason = reply.reply.closeReason else {
            try check(reply)
            return .present
        }
        guard reply.reply.id == CHAT_AMQP_METHOD_CHANNEL_CLOSE else {
            throw .disconnected(reason: reason.text)
        }
        chat_amqp_accept_channel_close(connection, Self.asking)
        guard passively, reason.code == AMQP_NOT_FOUND else {
            throw .queueUnusable(name: queue, reason: reason.text)
        }
        return .missing
    }

    private func check() throws(BrokerError) { try check(amqp_get_rpc_reply(connection)) }

    private func check(_ reply: amqp_rpc_reply_t) throws(BrokerError) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            throw .disconnected(reason: reply.reply.closeReason?.text ?? "no reason given")
        default: throw .failed(reply.library_error)
        }
    }
}
