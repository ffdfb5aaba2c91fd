import ChatDomain

/// A text as databases compare it: byte by byte, where Swift takes canonically equivalent texts for equal.
struct ByteExactKey: Hashable {
    let text: String

    init(_ id: some ClientIdentifier) { text = id.value }

    static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
