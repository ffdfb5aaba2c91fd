// Links everything.
import ChatDomain
import HTTPClient

@testable import ChatService
@testable import Identity
@testable import IdentityProviders

/// Files, the claims of tokens with a valid signature, and answers of identity providers. The first byte selects the decoder of the others.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFiles(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let (kind, bytes) = seedAndBytes(start, count) else { return 0 }
    switch kind % 6 {
    case 0:
        for entry in (try? UserStateFile(bytes))?.entries ?? [] {
            guard let seen = entry.profile.lastSeen else { continue }
            precondition(Timestamp(iso8601: seen.iso8601) == seen, "a time is not read as it is written")
        }
    case 1: _ = EnvironmentFile(parsing: String(decoding: bytes, as: UTF8.self))
    case 2: _ = try? VerificationKeys(jwks: bytes)
    case 3: _ = try? JSONWebToken(parsing: String(decoding: bytes, as: UTF8.self))
    case 4:
        _ = try? KeySetFetcher.keySetURL(in: bytes, of: "https://issuer.example")
        let fields = [(name: "content-type", value: "application/grpc"), (name: "grpc-status", value: "0")]
        let answer = HTTPClientResponse(status: 200, fields: fields, body: bytes)
        _ = CallOutcome(.success(answer), now: Timestamp(milliseconds: 0))
    default:
        guard let claims = try? TokenClaims(payload: bytes) else { break }
        for time in [claims.expiresAt, claims.notBefore, claims.issuedAt] {
            precondition(time.map { Timestamp(iso8601: $0.iso8601) == $0 } ?? true, "a time beyond its years")
        }
        precondition(!claims.userID.value.isEmpty && claims.userID.value.utf8.count <= 512)
    }
    return 0
}
