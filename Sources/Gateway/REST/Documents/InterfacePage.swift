import ChatDomain
import ChatProtocol

/// The interface as a page to read: calls, events, error codes and close codes. It needs no script and no other host.
enum InterfacePage {
    static func write(_ routes: [Route]) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>chat-service: the interface</title>
        <link rel="stylesheet" href="/docs/style.css">
        </head>
        <body>
        <header>
        <h1>chat-service</h1>
        <p>For programs: <a href="/openapi.json">OpenAPI</a> and <a href="/asyncapi.json">AsyncAPI</a>.</p>
        <nav aria-label="Parts of this page"><ul>\(navigation(routes))</ul></nav>
        </header>
        <main>
        \(subjects(of: routes).map { calls($0, routes) }.joined())
        <section id="client-events"><h2>Events from clients</h2>
        \(CommandDecoder.events.map(clientEvent).joined())</section>
        <section id="server-events"><h2>Events from the server</h2>
        \(ServerEvent.all.map(serverEvent).joined())</section>
        <section id="errors"><h2>Errors</h2>\(errors)</section>
        <section id="close-codes"><h2>Close codes</h2>\(closeCodes)</section>
        </main>
        </body>
        </html>

        """
    }

    /// The groups of routes, in their order.
    private static func subjects(of routes: [Route]) -> [String] {
        var seen: Set<String> = []
        return routes.map(\.subject).filter { seen.insert($0).inserted }
    }

    private static func navigation(_ routes: [Route]) -> String {
        let parts =
            subjects(of: routes).map { ("calls-" + $0, "Calls: " + $0) } + [
                ("client-events", "Events from clients"), ("server-events", "Events from the server"),
                ("errors", "Errors"), ("close-codes", "Close codes"),
            ]
        return parts.map { "<li><a href=\"#\($0.0)\">\($0.1.asHTML)</a></li>" }.joined()
    }

    // MARK: Calls

    private static func calls(_ subject: String, _ routes: [Route]) -> String {
        "<section id=\"calls-\(subject.asHTML)\"><h2>Calls: \(subject.asHTML)</h2>\n"
            + routes.filter { $0.subject == subject }.map(call).joined() + "</section>\n"
    }

    private static func call(_ route: Route) -> String {
        let statuses = route.answer.statuses.map(String.init).joined(separator: ", ")
        let refusals = route.refusals.map { "<code>\($0.rawValue)</code>" }.joined(separator: ", ")
        return """
            <article>
            <h3><span class="method">\(route.method.rawValue)</span> <code>\(route.patterns[0].text.asHTML)</code></h3>
            <p>\(route.summary.asHTML)</p>
            \(parameters(of: route))
            <p>Answers \(statuses)\(refusals.isEmpty ? "" : "; also refused with \(refusals)").</p>
            \(route.answer.shape.schema.map { example($0) } ?? "")
            </article>

            """
    }

    private static func parameters(of route: Route) -> String {
        let rows =
            route.patterns[0].parameterNames.map { [$0, "path", "id", "yes"] }
            + route.parameters.map { [$0.name, "\($0.place)", $0.kind.outline, $0.isRequired ? "yes" : ""] }
        guard !rows.isEmpty else { return "" }
        return table(["name", "in", "kind", "required"], rows)
    }

    // MARK: Events

    private static func clientEvent(_ event: ClientEvent) -> String {
        let names = event.names.map { "<code>\($0.asHTML)</code>" }.joined(separator: ", ")
        let fields = event.fields.map { [$0.name, "\($0.kind)", $0.isRequired ? "yes" : ""] }
        return """
            <article>
            <h3>\(names)</h3>
            <p>\(event.effect.asHTML)</p>
            \(fields.isEmpty ? "" : table(["name", "kind", "required"], fields))
            <p>The answer:</p>\(example(event.answer))
            </article>

            """
    }

    private static func serverEvent(_ event: ServerEvent) -> String {
        """
        <article>
        <h3><code>\(event.name.asHTML)</code></h3>
        <p>\(event.summary.asHTML)</p>
        \(example(event.data))
        </article>

        """
    }

    // MARK: Codes

    private static var errors: String {
        table(
            ["code", "HTTP", "retry", "meaning"],
            ChatError.Code.allCases.map {
                [$0.rawValue, String($0.httpStatus), $0.isRetryable ? "yes" : "no", $0.meaning]
            })
    }

    private static var closeCodes: String {
        table(
            ["code", "meaning", "the client should"],
            CloseCode.allCases.map { [String($0.rawValue), $0.meaning, $0.advice] })
    }

    // MARK: Parts

    private static func example(_ schema: Schema) -> String {
        "<pre tabindex=\"0\"><code>\(schema.example.indented().asHTML)</code></pre>"
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> String {
        let head = head.map { "<th scope=\"col\">\($0)</th>" }.joined()
        let rows = rows.map { row in "<tr>" + row.map { "<td>\($0.asHTML)</td>" }.joined() + "</tr>" }
        return
            "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"table\"><table><thead><tr>\(head)</tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }
}

extension RouteParameter.Kind {
    fileprivate var outline: String {
        switch self {
        case .boolean: "true or false"
        case .choice(let values): values.joined(separator: ", ")
        case .identifier: "id"
        case .identifiers(let limit): "ids" + (limit.map { ", at most \($0)" } ?? "")
        case .integer(let range):
            range.upperBound == .max ? "integer from \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        case .object: "object"
        case .text(let limit): "text" + (limit.map { ", at most \($0) characters" } ?? "")
        case .time: "milliseconds since 1970, or an ISO 8601 time"
        }
    }
}

extension String {
    /// The text with what HTML reads as markup escaped.
    fileprivate var asHTML: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
