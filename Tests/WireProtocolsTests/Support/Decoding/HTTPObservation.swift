import WireProtocols

/// A decoder's action in a form that can be compared.
enum HTTPObservation: Equatable {
    /// The method and the target.
    case head(String, String)
    /// Bytes of a streamed body.
    case part(String)
    case end(String)
    case failure(Int)

    init?(_ action: HTTPRequestDecoder.Action) {
        switch action {
        case .needMore: return nil
        case .head(let head): self = .head(head.method, head.target.raw)
        case .part(let bytes): self = .part(String(decoding: bytes, as: UTF8.self))
        case .end(let body): self = .end(String(decoding: body, as: UTF8.self))
        case .failure(let refusal): self = .failure(refusal.status)
        }
    }
}
