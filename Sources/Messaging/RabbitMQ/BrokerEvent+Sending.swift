import ChatDomain
import CRabbitMQ

extension BrokerEvent {
    private static let json: StaticString = "application/json"
    private static let application: StaticString = "chat-service"
    private static let traceparentHeader: StaticString = "traceparent"
    private static let persistent: UInt8 = 2

    /// Publishes the event through the default exchange to the queue, `mandatory` and persistent (AMQP 0-9-1, 1.8.3.3).
    ///
    /// - Returns: the library's status.
    func send(over connection: amqp_connection_state_t, _ channel: amqp_channel_t, to queue: String) -> Int32 {
        withBytes(of: queue) { queue in
            withBytes(of: messageID) { messageID in
                withBytes(of: type) { type in
                    var properties = amqp_basic_properties_t()
                    properties._flags =
                        CHAT_AMQP_HAS_CONTENT_TYPE | CHAT_AMQP_HAS_DELIVERY_MODE | CHAT_AMQP_HAS_MESSAGE_ID
                        | CHAT_AMQP_HAS_TIMESTAMP | CHAT_AMQP_HAS_TYPE | CHAT_AMQP_HAS_APP_ID
                    properties.content_type = amqp_bytes_t(Self.json)
                    properties.delivery_mode = Self.persistent
                    properties.message_id = messageID
                    properties.timestamp = timestampSeconds
                    properties.type = type
                    properties.app_id = amqp_bytes_t(Self.application)
                    return withTrace(in: &properties) { properties in
                        body.withUnsafeBufferPointer { body in
                            amqp_basic_publish(
                                connection, channel, amqp_empty_bytes, queue, 1, 0, &properties, amqp_bytes_t(body))
                        }
                    }
                }
            }
        }
    }

    private func withTrace(
        in properties: inout amqp_basic_properties_t, _ send: (inout amqp_basic_properties_t) -> Int32
    ) -> Int32 {
        guard let traceparent else { return send(&properties) }
        return withBytes(of: traceparent) { text in
            var entry = amqp_table_entry_t()
            entry.key = amqp_bytes_t(Self.traceparentHeader)
            entry.value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
            entry.value.value.bytes = text
            return withUnsafeMutablePointer(to: &entry) { entry in
                properties._flags |= CHAT_AMQP_HAS_HEADERS
                properties.headers = amqp_table_t(num_entries: 1, entries: entry)
                return send(&properties)
            }
        }
    }

    private func withBytes(of text: String, _ body: (amqp_bytes_t) -> Int32) -> Int32 {
        var text = text
        return text.withUTF8 { body(amqp_bytes_t($0)) }
    }
}

extension RabbitMQQueue {
    private static let typeArgument: StaticString = "x-queue-type"
    private static let quorum: StaticString = "quorum"

    /// Gives `body` the queue's name, and the arguments to declare it with. Brokers declare a classic queue without arguments.
    func withAMQP(_ body: (amqp_bytes_t, amqp_table_t) -> Void) {
        var name = name
        name.withUTF8 { name in
            guard kind == .quorum else { return body(amqp_bytes_t(name), amqp_empty_table) }
            var entry = amqp_table_entry_t()
            entry.key = amqp_bytes_t(Self.typeArgument)
            entry.value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
            entry.value.value.bytes = amqp_bytes_t(Self.quorum)
            withUnsafeMutablePointer(to: &entry) { entry in
                body(amqp_bytes_t(name), amqp_table_t(num_entries: 1, entries: entry))
            }
        }
    }
}

extension amqp_bytes_t {
    /// The library declares a mutable pointer but only reads.
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.init(len: bytes.count, bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }

    init(_ text: StaticString) {
        self.init(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}

extension String {
    /// A text that the broker sent; invalid UTF-8 is replaced.
    init(_ bytes: amqp_bytes_t) {
        self = String(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }
}

extension amqp_method_t {
    /// The broker's reason for closing a channel or the connection; nil for any other method.
    var closeReason: (code: Int32, text: String)? {
        switch id {
        case CHAT_AMQP_METHOD_CHANNEL_CLOSE:
            decoded.map {
                let close = $0.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
                return (Int32(close.reply_code), String(close.reply_text))
            }
        case CHAT_AMQP_METHOD_CONNECTION_CLOSE:
            decoded.map {
                let close = $0.assumingMemoryBound(to: amqp_connection_close_t.self).pointee
                return (Int32(close.reply_code), String(close.reply_text))
            }
        default: nil
        }
    }
}
