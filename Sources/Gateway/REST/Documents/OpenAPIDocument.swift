import ChatDomain
import ChatProtocol
import JSON
import WireProtocols

/// The HTTP interface as an OpenAPI document (version 3.1.0), made from the routes.
enum OpenAPIDocument {
    static let components: [SchemaComponent] = [
        .message, .user, .readMark, .presence, .delivery, .errorCode, problem,
    ]

    /// RFC 9457.
    static let problem = SchemaComponent(
        "Problem",
        .object(
            .required("type", .text("about:blank")), .required("title", .text("Bad Request")),
            .required("status", .integer(400, in: 400...599)), .required("detail", .text("roomId is missing")),
            .required("code", .text("bad_request").noted("an ErrorCode, or the name of a fault of HTTP")),
            .required("retryable", .boolean), .required("success", .boolean.noted("false"))))

    /// The document as JSON.
    static func write(_ routes: [Route]) -> [UInt8] {
        EventJSON.object { out in
            out.member("openapi", "3.1.0")
            out.key("info")
            out.object { out in
                out.member("title", "chat-service")
                out.member("version", "1.0.0")
                out.member(
                    "description",
                    "Rooms, history, presence and messages over HTTP. Live events: `/asyncapi.json`. Fields may be added: callers ignore those they do not know."
                )
            }
            out.key("servers")
            out.raw(#"[{"url":"/"}]"#)
            out.key("paths")
            out.object { paths(of: routes, into: &$0) }
            out.key("components")
            out.object { out in
                out.components(components)
                out.securitySchemes()
            }
        }
    }

    /// Routes by the text of their pattern as OpenAPI writes it, in the order of the routes.
    private static func paths(of routes: [Route], into out: inout JSONWriter) {
        var order: [String] = []
        var operations: [String: [(route: Route, isDeprecated: Bool)]] = [:]
        for route in routes {
            for (index, pattern) in route.patterns.enumerated() {
                if operations[pattern.template] == nil { order.append(pattern.template) }
                operations[pattern.template, default: []].append((route, index > 0))
            }
        }
        for path in order {
            out.key(escaping: path)
            out.object { out in
                for (route, isDeprecated) in operations[path] ?? [] {
                    out.key(escaping: route.method.rawValue.lowercased())
                    out.object { $0.operation(route, isDeprecated: isDeprecated) }
                }
            }
        }
    }
}

extension RoutePattern {
    /// The pattern as OpenAPI writes it, `/api/rooms/{roomId}`.
    fileprivate var template: String {
        "/"
            + segments.map { segment in
                switch segment {
                case .literal(let text): text
                case .parameter(let name): "{\(name)}"
                }
            }.joined(separator: "/")
    }
}

extension Route {
    /// The group of the documents that the route belongs to.
    var subject: String {
        let literals = patterns[0].segments.compactMap { if case .literal(let text) = $0 { text } else { nil } }
        switch literals.first {
        case "internal": return "services"
        case "api": return literals.dropFirst().first == "chat" ? "messages" : literals.dropFirst().first ?? "api"
        case "online-status": return "presence"
        default: return "operations"
        }
    }

    /// A name for the operation that is the same in every version: the method and the path.
    fileprivate var operationID: String {
        let path = patterns[0].segments.map { segment in
            switch segment {
            case .literal(let text): text.replacing("-", with: "_").replacing(".", with: "_")
            case .parameter(let name): "by_\(name)"
            }
        }
        return ([method.rawValue.lowercased()] + path).joined(separator: "_")
    }

    var bodyParameters: [RouteParameter] { parameters.filter { $0.place == .body } }

    /// The statuses of refusals.
    var refusalStatuses: [Int] {
        var codes = refusals
        if access != .everyone { codes += [.badRequest, .unauthorized, .forbidden, .rateLimited, .overloaded] }
        if !bodyParameters.isEmpty { codes += [.payloadTooLarge, .unsupportedMediaType] }
        if !patterns[0].parameterNames.isEmpty { codes += [.badRequest, .notFound] }
        return Set(codes.map(\.httpStatus)).subtracting(answer.statuses).sorted()
    }
}

// MARK: Operations

extension JSONWriter {
    fileprivate mutating func operation(_ route: Route, isDeprecated: Bool) {
        member("operationId", route.operationID + (isDeprecated ? "_old" : ""))
        member("summary", route.summary)
        key("tags")
        array([route.subject]) { $0.string($1) }
        if isDeprecated { member("deprecated", true) }
        parameters(of: route)
        body(of: route)
        responses(of: route)
        security(of: route.access)
    }

    private mutating func parameters(of route: Route) {
        // The types of a body stand with the body: OpenAPI ignores a parameter of this name.
        let others = route.parameters.filter { $0.place != .body && $0.name != "Content-Type" }
        guard !others.isEmpty || !route.patterns[0].parameterNames.isEmpty else { return }
        key("parameters")
        beginArray()
        for name in route.patterns[0].parameterNames {
            parameter(name, in: "path", isRequired: true, .givenID("general", isIntegerTaken: false))
        }
        for parameter in others {
            self.parameter(
                parameter.name, in: parameter.place == .query ? "query" : "header", isRequired: parameter.isRequired,
                parameter.kind.schema(inText: true), isList: parameter.kind.isList)
        }
        endArray()
    }

    private mutating func parameter(
        _ name: String, in place: String, isRequired: Bool, _ schema: Schema, isList: Bool = false
    ) {
        object { out in
            out.member("name", name)
            out.member("in", place)
            if isRequired { out.member("required", true) }
            if isList {
                out.member("style", "form")
                out.member("explode", false)
            }
            out.key("schema")
            out.schema(schema)
        }
    }

    private mutating func body(of route: Route) {
        if route.takesStream { return streamedBody() }
        let members = route.bodyParameters.map { parameter -> Schema.Member in
            let schema = parameter.kind.schema(inText: false)
            return parameter.isRequired ? .required(parameter.name, schema) : .optional(parameter.name, schema)
        }
        guard !members.isEmpty else { return }
        key("requestBody")
        object { out in
            out.member("required", route.bodyParameters.contains { $0.isRequired })
            out.content("application/json", .object(members))
        }
    }

    /// The content itself, or a form with it.
    private mutating func streamedBody() {
        key("requestBody")
        raw(
            #"{"required":true,"content":{"application/octet-stream":{"schema":{"type":"string","format":"binary"}},"multipart/form-data":{"schema":{"type":"object","required":["file"],"properties":{"file":{"type":"string","format":"binary"}}}}}}"#
        )
    }

    private mutating func responses(of route: Route) {
        key("responses")
        object { out in
            for status in route.answer.statuses {
                out.key(escaping: String(status))
                out.object { out in
                    out.member("description", HTTPResponse(status: status).reason)
                    guard status != 304 else { return }
                    // A range that is not there is refused as everything is.
                    guard status != 416 else {
                        return out.content("application/problem+json", .named(OpenAPIDocument.problem))
                    }
                    out.content(route.answer.shape.mediaType, route.answer.shape.schema ?? .text(""))
                }
            }
            for status in route.refusalStatuses {
                out.key(escaping: String(status))
                out.object { $0.problem(HTTPResponse(status: status).reason) }
            }
            out.key("default")
            out.object { $0.problem("a refusal of HTTP itself, or of a client that asks too often") }
        }
    }

    private mutating func problem(_ description: String) {
        member("description", description)
        content("application/problem+json", .named(OpenAPIDocument.problem))
    }

    private mutating func content(_ type: String, _ schema: Schema) {
        key("content")
        object { out in
            out.key(escaping: type)
            out.object { out in
                out.key("schema")
                out.schema(schema)
                if type.hasSuffix("json") {
                    out.key("example")
                    out.value(schema.example)
                }
            }
        }
    }

    private mutating func security(of access: RouteAccess) {
        key("security")
        switch access {
        case .everyone: raw("[]")
        case .service: raw(#"[{"serviceKey":[]}]"#)
        case .user: raw(#"[{"token":[]},{"claimedUser":[]}]"#)
        case .userOrService: raw(#"[{"token":[]},{"serviceKey":[]},{"claimedUser":[]}]"#)
        case .reader, .owner, .moderator, .viewer: raw(#"[{"token":[]},{"serviceKey":[]},{"claimedUser":[]},{}]"#)
        }
    }

    fileprivate mutating func securitySchemes() {
        key("securitySchemes")
        raw(
            #"{"token":{"type":"http","scheme":"bearer","bearerFormat":"JWT"},"serviceKey":{"type":"apiKey","in":"header","name":"X-Service-Key"},"claimedUser":{"type":"apiKey","in":"header","name":"X-User-Id","description":"in trusted mode, and for services that act for a user"}}"#
        )
    }
}

extension RouteParameter.Kind {
    var isList: Bool { if case .identifiers = self { true } else { false } }

    /// - Parameter inText: whether the value stands in the query or a header field, where every value is text.
    func schema(inText: Bool) -> Schema {
        switch self {
        case .boolean: .boolean
        case .choice(let values): .choice(values)
        case .identifier: .givenID("general", isIntegerTaken: !inText)
        case .identifiers(let limit): .list(of: .givenID("ada", isIntegerTaken: !inText), atMost: limit)
        case .integer(let range): .integer(min(max(50, range.lowerBound), range.upperBound), in: range)
        case .object: .object()
        case .text(let limit): .text("hello", limit.map { 0...$0 })
        case .time: .oneOf(.milliseconds, .time)
        }
    }
}
