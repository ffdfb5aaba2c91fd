import ChatDomain
import JSON

/// The events of clients and server as an AsyncAPI document (version 3.0.0), made from their declarations.
package enum AsyncAPIDocument {
    package static let components: [SchemaComponent] = [
        .message, .user, .readMark, .presence, .delivery, .errorCode, .refusal,
    ]

    /// Where clients connect, and how a frame there carries an event.
    private struct Endpoint {
        let name: String
        let address: String
        let description: String
    }

    private static let endpoints = [
        Endpoint(
            name: "eventFrames", address: "/",
            description:
                "WebSocket with event frames: `{\"event\":E,\"data\":D,\"id\":7}`, answered by `{\"event\":\"ack\",\"id\":7,\"data\":…}`."
        ),
        Endpoint(
            name: "typeFrames", address: "/ws",
            description:
                "WebSocket with type frames: `{\"type\":E,…D,\"id\":7}`, answered by `{\"type\":\"ack\",\"id\":7,…}`. Data that is no object has a name: `messages` for message_history, `users` for lists of users or ids, else `data`."
        ),
        Endpoint(
            name: "socketIO", address: "/socket.io/",
            description:
                "Socket.IO v5 over Engine.IO v4 (websocket, polling, upgrade): `42[E,D]`, answered by the acknowledgement `43`."
        ),
    ]

    /// The document as JSON.
    package static func write() -> [UInt8] {
        EventJSON.object { out in
            out.member("asyncapi", "3.0.0")
            out.key("info")
            out.object { $0.info() }
            out.member("defaultContentType", "application/json")
            out.key("channels")
            out.object { out in for endpoint in endpoints { channel(endpoint, into: &out) } }
            out.key("operations")
            out.object { operations(into: &$0) }
            out.key("components")
            out.object { out in
                messages(into: &out)
                out.components(components)
            }
        }
    }

    private static func channel(_ endpoint: Endpoint, into out: inout JSONWriter) {
        out.key(escaping: endpoint.name)
        out.object { out in
            out.member("address", endpoint.address)
            out.member("description", endpoint.description)
            out.key("messages")
            out.object { out in
                for name in names { out.reference(name, to: "#/components/messages/\(name)") }
            }
            out.key("bindings")
            out.raw(#"{"ws":{"method":"GET"}}"#)
        }
    }

    /// The messages' names. A client's event and its answer have names of their own, as the server may send an event of the
    /// same name.
    private static var names: [String] {
        CommandDecoder.events.flatMap { [request($0), answer($0)] } + ServerEvent.all.map(\.name) + ["refusal"]
    }

    private static func request(_ event: ClientEvent) -> String { "\(event.names[0]).request" }
    private static func answer(_ event: ClientEvent) -> String { "\(event.names[0]).answer" }

    // MARK: Operations

    private static func operations(into out: inout JSONWriter) {
        let channel = endpoints[0].name
        for event in CommandDecoder.events {
            out.key(escaping: event.names[0])
            out.object { out in
                out.member("action", "receive")
                out.channel(channel)
                out.member("summary", event.effect)
                out.messages([request(event)], of: channel)
                out.key("reply")
                out.object { out in
                    out.channel(channel)
                    out.messages([answer(event), "refusal"], of: channel)
                }
            }
        }
        for event in ServerEvent.all {
            out.key(escaping: "send.\(event.name)")
            out.object { out in
                out.member("action", "send")
                out.channel(channel)
                out.member("summary", event.summary)
                out.messages([event.name], of: channel)
            }
        }
    }

    // MARK: Messages

    private static func messages(into out: inout JSONWriter) {
        out.key("messages")
        out.object { out in
            for event in CommandDecoder.events {
                out.message(request(event), named: event.names[0], event.effect, event.data)
                out.message(answer(event), named: "ack", "the answer to \(event.names[0])", event.answer)
            }
            for event in ServerEvent.all { out.message(event.name, named: event.name, event.summary, event.data) }
            out.message("refusal", named: "ack", "the answer to a request that is refused", .named(.refusal))
        }
    }
}

extension JSONWriter {
    fileprivate mutating func info() {
        member("title", "chat-service")
        member("version", "1.0.0")
        member(
            "description",
            "Rooms, messages, typing and presence. One set of events has three framings, one for each channel. Fields may be added: clients ignore those they do not know."
        )
        key("x-close-codes")
        array(CloseCode.allCases) { out, code in
            out.object { out in
                out.member("code", code.rawValue)
                out.member("meaning", code.meaning)
                out.member("advice", code.advice)
            }
        }
    }

    fileprivate mutating func reference(_ name: String, to place: String) {
        key(escaping: name)
        object { $0.member("$ref", place) }
    }

    fileprivate mutating func channel(_ name: String) { reference("channel", to: "#/channels/\(name)") }

    fileprivate mutating func messages(_ names: [String], of channel: String) {
        key("messages")
        array(names) { out, name in out.object { $0.member("$ref", "#/channels/\(channel)/messages/\(name)") } }
    }

    fileprivate mutating func message(_ id: String, named name: String, _ summary: String, _ payload: Schema) {
        key(escaping: id)
        object { out in
            out.member("name", name)
            out.member("summary", summary)
            out.key("payload")
            out.schema(payload)
            out.key("examples")
            out.array([payload.example]) { out, example in
                out.object { out in
                    out.key("payload")
                    out.value(example)
                }
            }
        }
    }
}

extension ClientEvent {
    /// The event's data.
    package var data: Schema {
        .object(fields.map { $0.isRequired ? .required($0.name, $0.schema) : .optional($0.name, $0.schema) })
    }
}

extension ClientEvent.Field {
    fileprivate var schema: Schema {
        switch kind {
        case .id: .givenID("general")
        case .ids: .list(of: .givenID("ada"))
        case .text: .text("hello")
        case .integer: .count(5)
        case .boolean: .boolean
        case .object: .object()
        }
    }
}
