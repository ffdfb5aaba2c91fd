import WireProtocols

/// Feeds `pieces` to a decoder the way an event loop does: the bytes it leaves are taken out and loaded again before each read.
/// - Parameter next: the decoder, called after each read until it answers nil.
func feed<Output>(
    _ pieces: [ArraySlice<UInt8>], to next: (inout InputBuffer) -> Output?
) -> [Output] {
    var buffer = InputBuffer(capacity: 16)
    var leftover: [UInt8] = []
    var outputs: [Output] = []
    for piece in pieces {
        buffer.load(leftover: leftover)
        buffer.append(contentsOf: Array(piece))
        while let output = next(&buffer) { outputs.append(output) }
        leftover = buffer.takeRemainder()
    }
    return outputs
}
