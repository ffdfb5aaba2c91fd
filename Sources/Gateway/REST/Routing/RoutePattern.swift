/// The path of a route: literal segments, and parameters that stand for one segment each.
///
/// Written as in the documents, `/api/rooms/:roomId`. A parameter matches any one segment, the empty one too: the handler
/// validates the value, because the handler can say what is wrong with it.
struct RoutePattern: Hashable, Sendable {
    enum Segment: Hashable, Sendable {
        case literal(String)
        case parameter(String)
    }

    let text: String
    let segments: [Segment]
    /// Names of the parameters, in the order of the path.
    let parameterNames: [String]

    init(_ text: String) {
        self.init(
            text, Self.split(text).map { $0.hasPrefix(":") ? .parameter(String($0.dropFirst())) : .literal($0) })
    }

    /// A path without parameters, whatever characters it holds.
    init(literal path: String) {
        self.init(path, Self.split(path).map { .literal($0) })
    }

    private init(_ text: String, _ segments: [Segment]) {
        self.text = text
        self.segments = segments
        parameterNames = segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    /// Whether the pattern begins with a slash, and its parameters have names that differ.
    var isWellFormed: Bool {
        let names = parameterNames
        return text.utf8.first == UInt8(ascii: "/") && !names.contains("") && Set(names).count == names.count
    }

    /// Splits at the slashes and keeps empty segments, as `HTTPTarget.pathSegments` does.
    private static func split(_ path: String) -> [String] {
        path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
    }
}

extension RoutePattern: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self.init(text) }
}
