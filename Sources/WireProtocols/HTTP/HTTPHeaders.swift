/// A header field.
public struct HTTPField: Sendable, Equatable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The header fields of a request in the order they came: the head's own bytes, and where each field lies in them.
public struct HTTPHeaders: Sendable, RandomAccessCollection {
    struct Location: Sendable {
        let name: Range<Int>
        let value: Range<Int>
    }

    let bytes: [UInt8]
    let locations: [Location]

    public var startIndex: Int { 0 }
    public var endIndex: Int { locations.count }

    /// Bytes of a value that are not UTF-8 are replaced by U+FFFD.
    public subscript(position: Int) -> HTTPField {
        HTTPField(text(locations[position].name), text(locations[position].value))
    }

    /// The value of the first field called `name`, whatever the case of its letters.
    public subscript(name: String) -> String? {
        locations.first { isCalled(name, $0) }.map { text($0.value) }
    }

    /// The values of all fields called `name`, whatever the case of its letters.
    public func values(of name: String) -> [String] {
        var values: [String] = []
        for location in locations where isCalled(name, location) { values.append(text(location.value)) }
        return values
    }

    public func contains(name: String) -> Bool {
        locations.contains { isCalled(name, $0) }
    }

    func count(of name: String) -> Int {
        locations.count { isCalled(name, $0) }
    }

    /// The members of the comma-separated lists of all fields called `name` (RFC 9110 section 5.6.1).
    public func listMembers(of name: String) -> [String] {
        values(of: name).flatMap { HTTPSyntax.listMembers($0).map(String.init) }
    }

    /// Whether `token` is in the lists of the fields called `name`; case does not matter in either.
    public func contains(token: String, in name: String) -> Bool {
        locations.contains { isCalled(name, $0) && lists(token, $0.value) }
    }

    /// Whether the value of the first field called `name` may be a host and a port.
    func isAuthority(_ name: String) -> Bool {
        locations.first { isCalled(name, $0) }
            .map { bytes[$0.value].allSatisfy(HTTPSyntax.isAuthorityCharacter) } ?? false
    }

    private func lists(_ token: String, _ value: Range<Int>) -> Bool {
        bytes[value].split(separator: UInt8(ascii: ",")).contains { member in
            isSame(token, HTTPSyntax.trimmed(member.indices, of: bytes))
        }
    }

    private func isCalled(_ name: String, _ location: Location) -> Bool { isSame(name, location.name) }

    /// Whether the bytes there are `text` but for the case of ASCII letters.
    private func isSame(_ text: String, _ range: Range<Int>) -> Bool {
        HTTPSyntax.equalsIgnoringCase(bytes[range], text.utf8)
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}
