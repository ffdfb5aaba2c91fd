/// An identifier as clients name it: 1–128 characters of text without NUL.
///
/// Identifiers are strings inside the server; a numeric id from a client means its decimal string.
public protocol ClientIdentifier: Hashable, Sendable, CustomStringConvertible {
    var value: String { get }
    /// Takes `value` as it is. Use `init(validating:field:)` for anything that came from outside.
    init(unchecked value: String)
}

extension ClientIdentifier {
    public static var maximumCharacters: Int { 128 }

    public var description: String { value }

    /// Byte by byte, as databases compare: Swift takes canonically equivalent texts for equal, which here would let one
    /// user pass for another.
    public static func == (a: Self, b: Self) -> Bool {
        var (a, b) = (a.value, b.value)
        return a.withUTF8 { a in b.withUTF8 { b in a.count == b.count && a.elementsEqual(b) } }
    }

    public func hash(into hasher: inout Hasher) {
        var value = value
        value.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// - Parameter field: the field's name in the contract, for the error's text.
    /// - Throws: `bad_request` when `value` is empty, longer than 128 characters or holds a NUL.
    public init(validating value: String, field: String) throws(ChatError) {
        guard !value.isEmpty else { throw .badRequest("\(field) must not be empty") }
        // Counting characters walks the text; counting bytes first bounds that walk.
        guard value.utf8.count <= Self.maximumCharacters * 16, value.count <= Self.maximumCharacters else {
            throw .badRequest("\(field) must be at most \(Self.maximumCharacters) characters")
        }
        guard !value.utf8.contains(0) else { throw .badRequest("\(field) must not contain NUL") }
        self.init(unchecked: value)
    }
}

public struct UserID: ClientIdentifier {
    public let value: String
    public init(unchecked value: String) { self.value = value }
}

public struct RoomID: ClientIdentifier {
    public let value: String
    public init(unchecked value: String) { self.value = value }
}

/// The public name of one session (`socketId` on the wire); it starts with its instance's id.
public struct SessionID: Hashable, Sendable, CustomStringConvertible {
    public let value: String
    public init(_ value: String) { self.value = value }
    public var description: String { value }
}

/// One running server process. Short, because it is a prefix of every session id: 1–16 letters, digits, `-` or `_`.
public struct InstanceID: Hashable, Sendable, CustomStringConvertible {
    public let value: String
    public init(_ value: String) { self.value = value }
    public var description: String { value }
}

/// A message's number within its room: 1, 2, 3 … without holes. 0 stands for "before the first".
public typealias SequenceNumber = Int64
