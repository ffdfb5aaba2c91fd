/// Cuts `bytes` into pieces of lengths that `seed` decides: mostly short ones, so that every state sees a cut.
func pieces(of bytes: [UInt8], seed: UInt8) -> [ArraySlice<UInt8>] {
    var state = UInt32(seed) &+ 1
    var pieces: [ArraySlice<UInt8>] = []
    var start = 0
    while start < bytes.count {
        state = state &* 1_664_525 &+ 1_013_904_223
        let longest = seed & 1 == 0 ? 3 : 40
        let end = min(bytes.count, start + 1 + Int(state >> 16) % longest)
        pieces.append(bytes[start..<end])
        start = end
    }
    return pieces
}

/// Splits a fuzzer's input into the seed of the cuts, its first byte, and the bytes to decode.
func seedAndBytes(_ start: UnsafePointer<UInt8>, _ count: Int) -> (seed: UInt8, bytes: [UInt8])? {
    let input = UnsafeBufferPointer(start: start, count: count)
    guard let seed = input.first else { return nil }
    return (seed, Array(input.dropFirst()))
}
