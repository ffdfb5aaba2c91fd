/// A value that a route reads from the query, the header fields or the JSON body. Parameters of the path follow from the
/// pattern; each of them is an identifier.
struct RouteParameter: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        case query
        case header
        case body
    }

    enum Kind: Hashable, Sendable {
        case boolean
        case choice([String])
        case identifier
        /// A list; nil where the configuration bounds its length.
        case identifiers(atMost: Int?)
        case integer(ClosedRange<Int64>)
        case object
        /// Counted in Unicode scalars; nil where the configuration bounds it, in bytes.
        case text(atMost: Int?)
        /// Milliseconds since the Unix epoch, or ISO 8601 text.
        case time
    }

    let name: String
    let place: Place
    let kind: Kind
    let isRequired: Bool

    static func query(_ name: String, _ kind: Kind, isRequired: Bool = false) -> Self {
        Self(name: name, place: .query, kind: kind, isRequired: isRequired)
    }

    static func header(_ name: String, _ kind: Kind) -> Self {
        Self(name: name, place: .header, kind: kind, isRequired: false)
    }

    static func body(_ name: String, _ kind: Kind, isRequired: Bool = false) -> Self {
        Self(name: name, place: .body, kind: kind, isRequired: isRequired)
    }

    /// The entity tags of answers that the caller has (RFC 9110 section 13.1.2).
    static let knownTag = header("If-None-Match", .text(atMost: nil))
}
