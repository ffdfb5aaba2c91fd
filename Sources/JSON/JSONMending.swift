/// Text that is JSON by its grammar (RFC 8259) and that simdjson refuses all the same, rewritten so that it takes it.
///
/// Half a surrogate pair, such as the rest of an emoji in a text cut in UTF-16, becomes U+FFFD (RFC 8259 §8.2 leaves it
/// open). A number outside 64 bits becomes the double that is nearest, as it does in JavaScript; one beyond every double
/// the largest of them, since JSON has no infinity.
struct JSONMending {
    private let text: UnsafeRawBufferPointer
    private var position = 0
    /// Everything before this stands in `mended` already.
    private var copied = 0
    private var mended: [UInt8] = []

    /// nil when there is nothing to mend.
    static func mend(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        var mending = JSONMending(text: text)
        return mending.run()
    }

    private init(text: UnsafeRawBufferPointer) { self.text = text }

    private mutating func run() -> [UInt8]? {
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""): string()
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): number()
            default: position += 1
            }
        }
        guard copied > 0 else { return nil }
        mended.append(contentsOf: text[copied...])
        return mended
    }

    private mutating func replace(_ range: Range<Int>, by bytes: some Sequence<UInt8>) {
        mended.append(contentsOf: text[copied..<range.lowerBound])
        mended.append(contentsOf: bytes)
        copied = range.upperBound
    }

    // MARK: Texts

    private mutating func string() {
        position += 1
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): escape()
            default: position += 1
            }
        }
    }

    /// `\uXXXX`, a pair of them where the first is the high half of a surrogate pair, or an escape of two bytes.
    private mutating func escape() {
        guard let unit = codeUnit(at: position) else {
            position += 2
            return
        }
        let length = 6
        if UTF16.isLeadSurrogate(unit), let next = codeUnit(at: position + length), UTF16.isTrailSurrogate(next) {
            position += 2 * length
            return
        }
        if UTF16.isSurrogate(unit) { replace(position..<position + length, by: #"\ufffd"#.utf8) }
        position += length
    }

    private func codeUnit(at start: Int) -> UInt16? {
        guard start + 6 <= text.count, text[start] == UInt8(ascii: "\\"), text[start + 1] == UInt8(ascii: "u") else {
            return nil
        }
        var unit: UInt16 = 0
        for byte in text[start + 2..<start + 6] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    // MARK: Numbers

    private mutating func number() {
        let start = position
        while position < text.count, Self.isPartOfNumber(text[position]) { position += 1 }
        let literal = String(decoding: text[start..<position], as: UTF8.self)
        guard Self.isNumber(literal.utf8), let value = Double(literal) else { return }
        let isInteger = literal.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }
        let fits = isInteger ? Int64(literal) != nil || UInt64(literal) != nil : value.isFinite
        guard !fits else { return }
        let limit = Double.greatestFiniteMagnitude
        replace(start..<position, by: min(max(value, -limit), limit).description.utf8)
    }

    private static func isPartOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    /// Whether this is a number by JSON's grammar, which is narrower than that of `Double`.
    private static func isNumber(_ literal: String.UTF8View) -> Bool {
        var rest = literal[...]
        func digits() -> Int {
            let run = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
            rest = rest.dropFirst(run)
            return run
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let startsWithZero = rest.first == UInt8(ascii: "0")
        let integral = digits()
        guard integral > 0, !startsWithZero || integral == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
