import JSON

/// Writes Socket.IO packets as whole Engine.IO text messages: every one begins with the `4` of a message, and the same
/// bytes serve a WebSocket frame and a polling payload.
public enum SocketIOEncoder {
    /// The reply to a CONNECT.
    /// - Parameters:
    ///   - sid: the socket's public id.
    ///   - pid: the private id by which the client may recover its state later; nil where that is not offered. A client
    ///     that gets back the `pid` it sent takes its state as recovered.
    public static func connect(namespace: String = "/", sid: String, pid: String? = nil) -> [UInt8] {
        var writer = JSONWriter(after: head(.connect, namespace: namespace), reserving: 96)
        writer.object {
            $0.member("sid", sid)
            if let pid {
                $0.member("pid", pid)
            }
        }
        return writer.bytes
    }

    /// The refusal of a CONNECT.
    /// - Parameter data: JSON text; clients show it as the error's `data`.
    public static func connectError(namespace: String = "/", message: String, data: [UInt8]? = nil) -> [UInt8] {
        connectError(head: head(.connectError, namespace: namespace), message: message, data: data)
    }

    /// The refusal of a CONNECT to a namespace that is not known here; it is repeated as the client sent it, nil for the
    /// main one.
    static func invalidNamespace(_ namespace: (some Collection<UInt8>)?) -> [UInt8] {
        var head = head(.connectError, namespace: "/")
        if let namespace {
            head.append(contentsOf: namespace)
            head.append(UInt8(ascii: ","))
        }
        return connectError(head: head, message: "Invalid namespace", data: nil)
    }

    private static func connectError(head: [UInt8], message: String, data: [UInt8]?) -> [UInt8] {
        var writer = JSONWriter(after: head, reserving: 64)
        writer.object {
            $0.member("message", message)
            if let data {
                $0.key("data")
                $0.raw(data)
            }
        }
        return writer.bytes
    }

    /// Ends a namespace; stock clients do not reconnect by themselves after it.
    public static func disconnect(namespace: String = "/") -> [UInt8] {
        head(.disconnect, namespace: namespace)
    }

    /// The beginning of every event of that name, `42["name"`. Keep it and pass it to `appendEvent`.
    /// - Parameter attachments: how many binary messages follow the event; its arguments hold as many placeholders.
    public static func eventPrefix(
        _ name: String, namespace: String = "/", attachments: Int = 0
    ) -> [UInt8] {
        let type: SocketIOPacketType = attachments > 0 ? .binaryEvent : .event
        var head = head(type, namespace: namespace, attachments: attachments, id: nil)
        head.append(UInt8(ascii: "["))
        var writer = JSONWriter(after: head, reserving: name.utf8.count + 2)
        writer.string(name)
        return writer.bytes
    }

    /// Appends an event with one argument.
    /// - Parameters:
    ///   - prefix: made by `eventPrefix`.
    ///   - argument: JSON text.
    ///   - offset: a last argument, by which a client with a `pid` names the last event it got. Plain text without quotes,
    ///     backslashes or control characters. Clients that know nothing of recovery see it as one more argument.
    public static func appendEvent(
        prefix: [UInt8], argument: some Collection<UInt8>, offset: String? = nil, into out: inout [UInt8]
    ) {
        out.append(contentsOf: prefix)
        out.append(UInt8(ascii: ","))
        out.append(contentsOf: argument)
        if let offset {
            out.append(contentsOf: [UInt8(ascii: ","), UInt8(ascii: "\"")])
            out.append(contentsOf: offset.utf8)
            out.append(UInt8(ascii: "\""))
        }
        out.append(UInt8(ascii: "]"))
    }

    /// Appends the ack of an event that asked for one.
    /// - Parameters:
    ///   - arguments: JSON text of the arguments, commas between them; empty for none.
    ///   - attachments: how many binary messages follow the ack.
    public static func appendAck(
        _ id: UInt64, namespace: String = "/", arguments: some Collection<UInt8>, attachments: Int = 0,
        into out: inout [UInt8]
    ) {
        let type: SocketIOPacketType = attachments > 0 ? .binaryAck : .ack
        out.append(contentsOf: head(type, namespace: namespace, attachments: attachments, id: id))
        out.append(UInt8(ascii: "["))
        out.append(contentsOf: arguments)
        out.append(UInt8(ascii: "]"))
    }

    private static func head(
        _ type: SocketIOPacketType, namespace: String, attachments: Int = 0, id: UInt64? = nil
    ) -> [UInt8] {
        var head = [EngineIOPacketType.message.digit, type.digit]
        if attachments > 0 {
            JSONWriter.decimal(Int64(attachments), into: &head)
            head.append(UInt8(ascii: "-"))
        }
        if namespace != "/" {
            head.append(contentsOf: namespace.utf8)
            head.append(UInt8(ascii: ","))
        }
        if let id { JSONWriter.decimal(Int64(clamping: id), into: &head) }
        return head
    }
}
