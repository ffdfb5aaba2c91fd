import ChatDomain
import WireProtocols

/// Why routes do not make a table.
enum RouteTableError: Error, Hashable, CustomStringConvertible {
    /// Two routes answer the same method on the same paths. Names of parameters make no difference.
    case duplicate(RouteMethod, String, String)
    /// The pattern does not begin with a slash, or its parameters have no names that differ.
    case malformed(String)

    var description: String {
        switch self {
        case .duplicate(let method, let first, let second): "\(method.rawValue) \(second) is \(first) again"
        case .malformed(let pattern): "\(pattern) is no pattern of a route"
        }
    }
}

/// Finds the route for a method and a path: a tree of segments, as a value.
///
/// A literal segment wins over a parameter, from left to right. The path alone decides: where `/rooms/new` and
/// `/rooms/:roomId` are declared, `/rooms/new` takes the methods of the first only.
struct RouteTable: Sendable {
    private struct Entry: Sendable {
        let route: Route
        let pattern: RoutePattern
    }

    private struct Node: Sendable {
        /// Few, so that looking at each is the fastest way to one.
        var literals: [(text: String, node: Int)] = []
        var parameter: Int?
        var entries: [Entry] = []
        /// The routes of the entries.
        var routes: [Route] = []

        /// By bytes, since `String` takes canonically equivalent texts for equal.
        func child(for segment: String) -> Int? {
            literals.first { $0.text.hasSameBytes(as: segment) }?.node
        }
    }

    /// The first is the root; nodes name each other by index.
    private var nodes = [Node()]

    init(_ routes: [Route]) throws(RouteTableError) {
        for route in routes {
            for pattern in route.patterns { try insert(Entry(route: route, pattern: pattern)) }
        }
    }

    private mutating func insert(_ entry: Entry) throws(RouteTableError) {
        guard entry.pattern.isWellFormed else { throw .malformed(entry.pattern.text) }
        var node = 0
        for segment in entry.pattern.segments { node = child(of: node, for: segment) }
        if let twin = nodes[node].entries.first(where: { $0.route.method == entry.route.method }) {
            throw .duplicate(entry.route.method, twin.pattern.text, entry.pattern.text)
        }
        nodes[node].entries.append(entry)
        nodes[node].routes.append(entry.route)
    }

    private mutating func child(of node: Int, for segment: RoutePattern.Segment) -> Int {
        let next = nodes.count
        switch segment {
        case .literal(let text):
            if let child = nodes[node].child(for: text) { return child }
            nodes[node].literals.append((text, next))
        case .parameter:
            if let child = nodes[node].parameter { return child }
            nodes[node].parameter = next
        }
        nodes.append(Node())
        return next
    }

    /// - Parameter path: the path's segments, percent-decoded.
    func match(_ method: String, _ path: [String]) -> RouteMatch {
        var values: [String] = []
        guard let node = find(path, 0, below: 0, &values) else { return .nothing }
        let wanted = RouteMethod(answering: method)
        let entry = nodes[node].entries.first { $0.route.method == wanted }
        return RouteMatch(
            route: entry?.route,
            pathParameters: entry.map { zip($0.pattern.parameterNames, values).map { HTTPField($0, $1) } } ?? [],
            alternatives: nodes[node].routes)
    }

    /// The node with routes where the path ends.
    ///
    /// - Parameter position: of the segment to look for below the node.
    private func find(_ path: [String], _ position: Int, below node: Int, _ values: inout [String]) -> Int? {
        guard position < path.count else { return nodes[node].entries.isEmpty ? nil : node }
        let segment = path[position]
        if let child = nodes[node].child(for: segment), let found = find(path, position + 1, below: child, &values) {
            return found
        }
        guard let child = nodes[node].parameter else { return nil }
        values.append(segment)
        if let found = find(path, position + 1, below: child, &values) { return found }
        values.removeLast()
        return nil
    }
}

/// The result of looking a request up in a table.
struct RouteMatch: Sendable {
    static let nothing = Self(route: nil, pathParameters: [], alternatives: [])

    /// nil where nothing is at the path, or where the path takes other methods.
    let route: Route?
    /// Named by the pattern, in the order of the path; percent-decoded and not yet validated.
    let pathParameters: [HTTPField]
    /// All routes of the path; empty where nothing is there.
    let alternatives: [Route]

    /// Whether credentials matter. Where nothing is at the path they do, so that a bad token is refused on any path.
    var readsCredentials: Bool { alternatives.isEmpty || alternatives.contains { $0.access != .everyone } }

    /// Whether the request counts as a call. A request without a route counts if its method changes something.
    func countsAsCall(_ method: String) -> Bool {
        route?.limit.countsCalls ?? (RouteMethod(answering: method) != .get)
    }

    /// The methods the path takes, for the `Allow` field (RFC 9110 section 10.2.1). OPTIONS is answered for any path and
    /// not listed.
    var allow: String {
        RouteMethod.allCases.filter { method in alternatives.contains { $0.method == method } }
            .flatMap(\.answered).joined(separator: ", ")
    }
}
