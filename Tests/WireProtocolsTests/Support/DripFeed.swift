import Testing

@testable import WireProtocols

/// Checks that a decoder answers the same however its input is cut into pieces.
///
/// - Parameters:
///   - input: the bytes to decode.
///   - splits: how many points to cut at, spread over the input; every one by default.
///   - makeDecoder: makes a fresh decoder: a closure that is called after each read until it answers nil, and takes what
///     it has understood out of the buffer.
/// - Returns: the decoder's results for the whole input.
@discardableResult
func dripFeed<Output: Equatable>(
    _ input: [UInt8], splits: Int = .max, sourceLocation: SourceLocation = #_sourceLocation,
    _ makeDecoder: () -> (inout InputBuffer) -> Output?
) -> [Output] {
    let whole = feed([input[...]], to: makeDecoder())
    let bytewise = feed(input.indices.map { input[$0...$0] }, to: makeDecoder())
    #expect(bytewise == whole, "byte by byte", sourceLocation: sourceLocation)
    for cut in stride(from: 1, to: input.count, by: max(1, input.count / splits)) {
        let halves = feed([input[..<cut], input[cut...]], to: makeDecoder())
        #expect(halves == whole, "cut at byte \(cut)", sourceLocation: sourceLocation)
    }
    return whole
}
