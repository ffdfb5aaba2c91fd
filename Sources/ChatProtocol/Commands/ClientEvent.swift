import ChatDomain
import JSON

/// An event that clients send: its names, the fields it takes, and the command it means.
///
/// Dispatch, the tables in `docs/protocol.md` and the tests of every event follow from these values.
package struct ClientEvent: Sendable {
    /// The input of an event.
    struct Input {
        let data: JSONElement?
        /// Whether `data` is a whole frame, which holds the event's fields beside its own.
        let isFlat: Bool
        let limits: CommandLimits

        /// - Throws: `bad_request` when the data is there and no object.
        func fields() throws(ChatError) -> CommandFields { try CommandFields(data, limits: limits) }
    }

    /// A field of the event's data.
    package struct Field: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// An id: a string, or an integer that means its decimal text.
            case id
            case ids
            case text
            case integer
            case boolean
            /// A JSON object that is carried as it is.
            case object
        }

        package let name: String
        package let kind: Kind
        package let isRequired: Bool

        static func required(_ name: String, _ kind: Kind) -> Self { .init(name: name, kind: kind, isRequired: true) }
        static func optional(_ name: String, _ kind: Kind) -> Self { .init(name: name, kind: kind, isRequired: false) }
    }

    /// The documented name, then names of other contracts that mean the same.
    package let names: [String]
    package let fields: [Field]
    /// The data in the documents where the fields alone do not say it.
    package let dataNote: String?
    /// The events that follow, for the documents.
    package let effect: String
    let decode: @Sendable (Input) throws(ChatError) -> ClientCommand

    init(
        _ name: String, fields: [Field] = [], dataNote: String? = nil, effect: String,
        decode: @escaping @Sendable (Input) throws(ChatError) -> ClientCommand
    ) {
        self.init(names: [name], fields: fields, dataNote: dataNote, effect: effect, decode: decode)
    }

    init(
        names: [String], fields: [Field], dataNote: String?, effect: String,
        decode: @escaping @Sendable (Input) throws(ChatError) -> ClientCommand
    ) {
        self.names = names
        self.fields = fields
        self.dataNote = dataNote
        self.effect = effect
        self.decode = decode
    }
}
