/// Names the deployment an instance belongs to: instances of one share their rooms and users, and receive nothing from other deployments.
///
/// Redis's channels know no databases, so every publication carries this name.
public struct DeploymentID: Hashable, Sendable, CustomStringConvertible {
    /// Longest name, in bytes.
    public static let maximumLength = 64

    public let value: String
    public var description: String { value }

    /// nil unless it is 1 to 64 letters, digits, dots, `-` or `_`.
    public init?(_ text: String) {
        guard 1...Self.maximumLength ~= text.utf8.count, text.utf8.allSatisfy(Self.mayName) else { return nil }
        value = text
    }

    /// The id of a deployment that was not given a name: the Redis database and the store's name.
    public init(redisDatabase: Int, store: String) {
        let name = store.utf8.map { Self.mayName($0) ? $0 : UInt8(ascii: "_") }
        let whole = Array("\(redisDatabase)-".utf8) + name
        value = String(decoding: whole.prefix(Self.maximumLength), as: UTF8.self)
    }

    private static func mayName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
    }
}
