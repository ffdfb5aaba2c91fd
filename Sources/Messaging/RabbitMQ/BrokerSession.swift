import ChatDomain
import CRabbitMQ

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// One connection to the broker, from sign-in to its end. One thread uses it. Its calls block, each no longer than a small
/// multiple of the endpoint's timeout.
final class BrokerSession {
    /// Queues are declared over a channel of their own, because the broker closes a channel that names a missing queue.
    private static let publishing: amqp_channel_t = 1
    private static let declaring: amqp_channel_t = 2
    private static let frameBytes: Int32 = 131_072

    private let connection: amqp_connection_state_t
    private let queues: [BrokerEvent.Queue: RabbitMQQueue]
    private let callLimit: CallLimit
    private let timeout: Duration
    private var confirms = ConfirmTracker()
    /// The broker returned an event, so a queue may be missing: they are checked before the next event is published.
    private var mustCheckQueues = false
    /// The broker's reason for asking its publishers to pause, such as low memory; nil while it accepts events.
    private(set) var blockedReason: String?

    /// Connects, signs in, and declares the queues that do not exist.
    ///
    /// - Parameter callLimit: watches this connection's calls from now on.
    init(
        _ endpoint: RabbitMQEndpoint, queues: [BrokerEvent.Queue: RabbitMQQueue], callLimit: CallLimit
    ) throws(BrokerError) {
        guard let connection = amqp_new_connection() else { throw .unreachable(reason: "no memory is left") }
        self.connection = connection
        self.queues = queues
        self.callLimit = callLimit
        timeout = endpoint.timeout
        var answer = timeval(endpoint.timeout)
        amqp_set_handshake_timeout(connection, &answer)
        amqp_set_rpc_timeout(connection, &answer)
        try BrokerSocket.open(endpoint, for: connection)
        callLimit.begin(socket)
        try callLimit.call(within: timeout) { () throws(BrokerError) in try signIn(endpoint) }
        try callLimit.call(within: timeout * 2) { () throws(BrokerError) in
            _ = amqp_channel_open(connection, Self.publishing)
            try check()
            _ = amqp_confirm_select(connection, Self.publishing)
            try check()
        }
        try callLimit.call(within: timeout * 6) { () throws(BrokerError) in try ensureQueuesExist() }
    }

    deinit {
        callLimit.end()
        amqp_destroy_connection(connection)
    }

    var socket: Int32 { amqp_get_sockfd(connection) }

    /// Closes the connection by AMQP's handshake, unless the broker is blocked and would not answer.
    func close() {
        guard blockedReason == nil else { return }
        try? callLimit.call(within: timeout) { () throws(BrokerError) in
            _ = amqp_connection_close(connection, AMQP_REPLY_SUCCESS)
        }
    }

    func publish(_ event: BrokerEvent) throws(BrokerError) {
        try callLimit.call(within: timeout) { () throws(BrokerError) in try write(event) }
    }

    private func write(_ event: BrokerEvent) throws(BrokerError) {
        if mustCheckQueues {
            try ensureQueuesExist()
            mustCheckQueues = false
        }
        guard let queue = queues[event.queue] else { throw .unsendable(reason: "no queue for \(event.type)") }
        let status = event.send(over: connection, Self.publishing, to: queue.name)
        if status == AMQP_STATUS_BAD_AMQP_DATA.rawValue || status == AMQP_STATUS_TABLE_TOO_BIG.rawValue {
            throw .unsendable(reason: "\(event.messageID): \(String(cString: amqp_error_string2(status)))")
        }
        guard status == AMQP_STATUS_OK.rawValue else { throw .failed(status) }
        confirms.didPublish(tag: event.tag, messageID: event.messageID)
    }

    /// All answers that have arrived. Does not wait for more, and keeps the heartbeat going.
    func readAnswers() throws(BrokerError) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        try callLimit.call(within: timeout) { () throws(BrokerError) in try readFrames() }
    }

    private func readFrames() throws(BrokerError) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        var answers: [(tag: UInt64, outcome: BrokerOutcome)] = []
        while let frame = try nextFrame() {
            if frame.frame_type == AMQP_FRAME_HEADER { receivedReturn(frame) }
            if frame.frame_type == AMQP_FRAME_METHOD { answers += try receive(frame.payload.method) }
        }
        amqp_maybe_release_buffers(connection)
        return answers
    }

    private func nextFrame() throws(BrokerError) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var atOnce = timeval()
        let status = amqp_simple_wait_frame_noblock(connection, &frame, &atOnce)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        guard status == AMQP_STATUS_OK.rawValue else { throw .failed(status) }
        return frame
    }

    private func receive(_ method: amqp_method_t) throws(BrokerError) -> [(tag: UInt64, outcome: BrokerOutcome)] {
        switch method.id {
        case CHAT_AMQP_METHOD_ACK:
            guard let ack = method.decoded?.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee else { return [] }
            return confirms.receivedAnswer(
                delivery: ack.delivery_tag, multiple: ack.multiple != 0, isAcknowledged: true)
        case CHAT_AMQP_METHOD_NACK:
            guard let nack = method.decoded?.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee else { return [] }
            return confirms.receivedAnswer(
                delivery: nack.delivery_tag, multiple: nack.multiple != 0, isAcknowledged: false)
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

    /// The broker returns an event with its properties, and acknowledges it afterwards.
    private func receivedReturn(_ frame: amqp_frame_t) {
        guard
            let properties = frame.payload.properties.decoded?.assumingMemoryBound(to: amqp_basic_properties_t.self),
            properties.pointee._flags & CHAT_AMQP_HAS_MESSAGE_ID != 0
        else { return }
        mustCheckQueues = true
        confirms.receivedReturn(messageID: String(properties.pointee.message_id))
    }

    private func signIn(_ endpoint: RabbitMQEndpoint) throws(BrokerError) {
        let reply = chat_amqp_login(
            connection, endpoint.virtualHost, Self.frameBytes, Int32(clamping: endpoint.heartbeat.components.seconds),
            endpoint.user, endpoint.password)
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            throw .denied(reason: reply.reply.closeReason?.text ?? "no reason given")
        default: throw .failed(reply.library_error)
        }
    }

    private func ensureQueuesExist() throws(BrokerError) {
        var names: Set<String> = []
        for queue in queues.values where names.insert(queue.name).inserted { try ensureExistence(of: queue) }
    }

    /// What the broker says of itself: the names are those of its server properties, `product` and `version` among them.
    func serverProperty(_ name: String) -> String? {
        guard let table = amqp_get_server_properties(connection)?.pointee, let entries = table.entries else {
            return nil
        }
        for index in 0..<Int(table.num_entries) where String(entries[index].key) == name {
            let value = entries[index].value
            guard value.kind == UInt8(AMQP_FIELD_KIND_UTF8.rawValue) else { return nil }
            return String(String(value.value.bytes).prefix(64))
        }
        return nil
    }

    /// Whether a queue exists, with whatever arguments. Declares nothing.
    func exists(_ queue: String) throws(BrokerError) -> Bool {
        try callLimit.call(within: timeout * 2) { () throws(BrokerError) in
            _ = amqp_channel_open(connection, Self.declaring)
            try check()
            guard case .present = try declare(RabbitMQQueue(name: queue), passively: true) else { return false }
            _ = amqp_channel_close(connection, Self.declaring, AMQP_REPLY_SUCCESS)
            return true
        }
    }

    /// Checks that the queue exists, with whatever arguments, and declares a durable queue only if there is none.
    private func ensureExistence(of queue: RabbitMQQueue) throws(BrokerError) {
        _ = amqp_channel_open(connection, Self.declaring)
        try check()
        if case .missing = try declare(queue, passively: true) {
            _ = amqp_channel_open(connection, Self.declaring)
            try check()
            guard case .present = try declare(queue, passively: false) else {
                throw .queueUnusable(name: queue.name, reason: "it does not exist and cannot be declared")
            }
        }
        _ = amqp_channel_close(connection, Self.declaring, AMQP_REPLY_SUCCESS)
    }

    private enum Declaration {
        case present, missing
    }

    private func declare(_ queue: RabbitMQQueue, passively: Bool) throws(BrokerError) -> Declaration {
        queue.withAMQP { name, arguments in
            _ = amqp_queue_declare(
                connection, Self.declaring, name, passively ? 1 : 0, 1, 0, 0, passively ? amqp_empty_table : arguments)
        }
        let reply = amqp_get_rpc_reply(connection)
        guard reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, let reason = reply.reply.closeReason else {
            try check(reply)
            return .present
        }
        guard reply.reply.id == CHAT_AMQP_METHOD_CHANNEL_CLOSE else {
            throw .disconnected(reason: reason.text)
        }
        chat_amqp_accept_channel_close(connection, Self.declaring)
        guard passively, reason.code == AMQP_NOT_FOUND else {
            throw .queueUnusable(name: queue.name, reason: reason.text)
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
