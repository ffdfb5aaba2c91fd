import TestSupport

extension SplitMix {
    /// `bytes` with a few of them changed, dropped, doubled or swapped for ones the protocols give a meaning.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let telling = Array("0123456b-/,[]{}\"\\:_\u{1E}".utf8) + [0, 0x80, 0xFF]
        for _ in 0..<Int.random(in: 0...4, using: &self) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(bytes[place], at: place)
            default: bytes[place] = telling[Int.random(in: 0..<telling.count, using: &self)]
            }
        }
        return bytes
    }
}
