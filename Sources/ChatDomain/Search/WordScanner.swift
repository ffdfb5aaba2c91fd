/// Finds the words of texts, see `SearchText`. Keeps its memory from one text to the next.
package struct WordScanner {
    /// The bytes of the word that is being read.
    private var word: [UInt8] = []
    /// Where the word begins and ends, in UTF-16 code units.
    private var start = 0
    private var end = 0
    /// Whether a letter begins another word.
    private var isClosed = false
    private var count = 0

    package init() { word.reserveCapacity(SearchWord.maximumBytes) }

    /// - Parameter found: takes each word and its place in UTF-16 code units. The bytes are valid during the call.
    package mutating func scan(_ text: String, found: (UnsafeRawBufferPointer, Range<Int>) -> Void) {
        var text = text
        let isScanned = text.withUTF8 { scan(ifASCII: UnsafeRawBufferPointer($0), found) }
        if !isScanned { scan(text.unicodeScalars, found: found) }
    }

    /// - Parameters:
    ///   - text: UTF-8. Bytes that are none count as U+FFFD, as in a string made of them.
    ///   - found: see above.
    package mutating func scan(_ text: UnsafeRawBufferPointer, found: (UnsafeRawBufferPointer, Range<Int>) -> Void) {
        if !scan(ifASCII: text, found) { scan(String(decoding: text, as: UTF8.self).unicodeScalars, found: found) }
    }

    /// What a byte of ASCII folds to; 0 for one that separates words. ASCII has no scalars of another role.
    private static let foldedASCII: [UInt8] = (0..<0x80).map { byte in
        let scalar = FoldedScalar(Unicode.Scalar(UInt8(byte)))
        return scalar.role == .letter ? scalar.bytes[0] : 0
    }

    /// - Returns: whether the text is ASCII; else nothing was done.
    private mutating func scan(
        ifASCII text: UnsafeRawBufferPointer, _ found: (UnsafeRawBufferPointer, Range<Int>) -> Void
    ) -> Bool {
        guard text.allSatisfy({ $0 < 0x80 }) else { return false }
        let folded = Self.foldedASCII
        count = 0
        for (offset, byte) in text.enumerated() {
            let letter = folded[Int(byte)]
            guard letter == 0 else {
                if word.isEmpty { start = offset }
                end = offset + 1
                if word.count < SearchWord.maximumBytes { word.append(letter) }
                continue
            }
            finishWord(found)
            if count >= SearchText.maximumTokens { break }
        }
        if count < SearchText.maximumTokens { finishWord(found) }
        word.removeAll(keepingCapacity: true)
        return true
    }

    private mutating func scan(
        _ scalars: some Sequence<Unicode.Scalar>, found: (UnsafeRawBufferPointer, Range<Int>) -> Void
    ) {
        count = 0
        var offset = 0
        for scalar in scalars {
            guard count < SearchText.maximumTokens else { break }
            let next = offset + (scalar.value > 0xFFFF ? 2 : 1)
            take(FoldedScalar(scalar), offset..<next, found)
            offset = next
        }
        if count < SearchText.maximumTokens { finishWord(found) }
        word.removeAll(keepingCapacity: true)
        isClosed = false
    }

    private mutating func take(
        _ scalar: FoldedScalar, _ range: Range<Int>, _ found: (UnsafeRawBufferPointer, Range<Int>) -> Void
    ) {
        switch scalar.role {
        case .separator: finishWord(found)
        case .ignored: if !word.isEmpty { end = range.upperBound }
        case .mark: append(scalar, range)
        case .letter:
            if isClosed { finishWord(found) }
            append(scalar, range)
        case .wordOfItsOwn:
            finishWord(found)
            append(scalar, range)
            isClosed = true
        }
    }

    private mutating func append(_ scalar: FoldedScalar, _ range: Range<Int>) {
        if word.isEmpty { start = range.lowerBound }
        end = range.upperBound
        guard word.count + scalar.count <= SearchWord.maximumBytes else { return }
        for index in 0..<scalar.count { word.append(scalar.bytes[index]) }
    }

    private mutating func finishWord(_ found: (UnsafeRawBufferPointer, Range<Int>) -> Void) {
        isClosed = false
        guard !word.isEmpty else { return }
        count += 1
        word.withUnsafeBytes { found($0, start..<end) }
        word.removeAll(keepingCapacity: true)
    }
}
