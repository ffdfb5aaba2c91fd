@_spi(_Unicode) import Swift

/// What a Unicode scalar is to the search: a part of a word, without its case and its accents, or no part of any.
struct FoldedScalar {
    enum Role: UInt8 {
        /// Ends a word.
        case separator
        /// Belongs to a word together with its neighbours.
        case letter
        /// A word of its own: scripts without spaces between words, and symbols such as emoji.
        case wordOfItsOwn
        /// Belongs to the word before it and changes nothing: an accent, a vowel point, a joiner.
        case ignored
        /// Belongs to the word before it, as the vowel signs of Indian scripts do.
        case mark
    }

    /// In UTF-8. No scalar folds to more, see `init(folding:)`.
    static let maximumBytes = 15

    let role: Role
    /// How many of `bytes` are its text.
    let count: Int
    /// Inline, so that a folded scalar takes no memory of its own.
    let bytes: InlineArray<15, UInt8>

    static let separator = Self(role: .separator, text: "")

    private init(role: Role, text: String) {
        self.role = role
        var bytes = InlineArray<15, UInt8>(repeating: 0)
        var count = 0
        for byte in text.utf8.prefix(Self.maximumBytes) {
            bytes[count] = byte
            count += 1
        }
        self.bytes = bytes
        self.count = count
    }

    /// Latin, Greek, Cyrillic, Hebrew and Arabic are looked up, the rest is worked out each time.
    private static let common: [FoldedScalar] = (0..<0x700).map { value in
        Unicode.Scalar(value).map { FoldedScalar(folding: $0) } ?? .separator
    }

    init(_ scalar: Unicode.Scalar) {
        let index = Int(scalar.value)
        self = index < Self.common.count ? Self.common[index] : FoldedScalar(folding: scalar)
    }

    private init(folding scalar: Unicode.Scalar) {
        let role = Self.role(of: scalar)
        guard role != .separator, role != .ignored else {
            self.init(role: role, text: "")
            return
        }
        var folded = String.UnicodeScalarView()
        for part in String(scalar)._nfd where !Self.isIgnored(part) {
            folded.append(contentsOf: Self.withoutCase(part))
        }
        let isUsable = !folded.isEmpty && String(folded).utf8.count <= Self.maximumBytes
        self.init(role: role, text: isUsable ? String(folded) : String(scalar))
    }

    /// Lower, upper, lower: so `ẞ` and `ß` become `ss`, and the three forms of sigma one.
    private static func withoutCase(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let lower = scalar.properties.lowercaseMapping.unicodeScalars
        let upper = lower.flatMap { $0.properties.uppercaseMapping.unicodeScalars }
        return upper.flatMap { Array($0.properties.lowercaseMapping.unicodeScalars) }
    }

    private static func role(of scalar: Unicode.Scalar) -> Role {
        if isIgnored(scalar) { return .ignored }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        case .otherSymbol: return .wordOfItsOwn
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return isWrittenWithoutSpaces(scalar) ? .wordOfItsOwn : .letter
        default: return .separator
        }
    }

    /// Accents have the combining classes from 200, Hebrew and Arabic vowel points those from 10 to 35. The marks of other
    /// scripts make different words.
    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0xAD else { return false }
        let properties = scalar.properties
        let combining = properties.canonicalCombiningClass.rawValue
        return combining >= 200 || (10...35).contains(combining) || properties.isDefaultIgnorableCodePoint
            || properties.isEmojiModifier || scalar.value == 0x20E3
    }

    private static func isWrittenWithoutSpaces(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Thai and Lao, Burmese, Khmer, kana and its half-width forms.
        case 0x0E00...0x0EFF, 0x1000...0x109F, 0x1780...0x17FF, 0x3040...0x30FF, 0x31F0...0x31FF, 0xFF66...0xFF9D: true
        default: scalar.properties.isIdeographic
        }
    }
}
