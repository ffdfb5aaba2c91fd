import ChatDomain
import JSON

/// Which state of the stored messages a page is of, beside the numbers of its room.
package struct HistoryGeneration: Hashable, Sendable {
    /// When the process began, in milliseconds since the Unix epoch.
    let start: Int64
    let erasures: UInt64
}

/// What decides the content of a room's page: the same as long as the room gets no message or change and nothing is erased. It is known
/// without the page.
package struct PageTag: Hashable, Sendable {
    private let query: HistoryQuery
    private let lastSequence: SequenceNumber
    private let generation: HistoryGeneration

    /// - Parameter generation: as it was before the room was asked for.
    package init(of query: HistoryQuery, upTo lastSequence: SequenceNumber, _ generation: HistoryGeneration) {
        self.generation = generation
        self.lastSequence = lastSequence
        self.query = query
    }

    /// The tag as an HTTP entity tag, with its quotes.
    package var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(96)
        bytes.append(UInt8(ascii: "\""))
        JSONWriter.decimal(generation.start, into: &bytes)
        add("", Int64(clamping: generation.erasures), to: &bytes)
        add("", query.base, to: &bytes)
        add("", lastSequence, to: &bytes)
        switch query.cursor {
        case .latest: bytes.append(contentsOf: "-l".utf8)
        case .before(let sequence): add("b", sequence, to: &bytes)
        case .after(let sequence): add("a", sequence, to: &bytes)
        case .around(let sequence): add("m", sequence, to: &bytes)
        }
        add("", Int64(query.limit), to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }

    private func add(_ place: StaticString, _ number: Int64, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "-"))
        place.withUTF8Buffer { bytes.append(contentsOf: $0) }
        JSONWriter.decimal(number, into: &bytes)
    }
}
