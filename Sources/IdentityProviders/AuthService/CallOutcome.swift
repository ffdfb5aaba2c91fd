import ChatDomain
import HTTPClient
import Identity

/// What one call of the Auth Service says of a token.
enum CallOutcome: Sendable {
    case accepted(TokenClaims)
    case refused(TokenRefusal)
    /// There is no verdict. `isServiceAway`: nor would there be for another token.
    case failed(String, isServiceAway: Bool)
    /// The call never left this process.
    case notSent

    init(_ answer: Result<HTTPClientResponse, HTTPClientError>, now: Timestamp) {
        switch answer {
        case .success(let response): self = Self.read(response, now: now)
        case .failure(.overloaded), .failure(.closed): self = .notSent
        case .failure(.tooLarge): self = .failed("\(HTTPClientError.tooLarge)", isServiceAway: false)
        case .failure(let error): self = .failed("\(error)", isServiceAway: true)
        }
    }

    private static func read(_ response: HTTPClientResponse, now: Timestamp) -> Self {
        do throws(GRPCCall.Failure) {
            let message = try GRPCCall.message(of: response)
            guard let answer = try? ValidateToken.Response(message) else {
                return .failed("not the answer of proto/auth.proto", isServiceAway: false)
            }
            return verdict(answer, now: now)
        } catch {
            switch error {
            case .status(GRPCCall.invalidArgument), .status(GRPCCall.unauthenticated):
                return .refused(.refusedByAuthService)
            case .status(let code): return .failed("\(error)", isServiceAway: GRPCCall.isServiceAway(code))
            case .notGRPC: return .failed("\(error)", isServiceAway: true)
            }
        }
    }

    private static func verdict(_ answer: ValidateToken.Response, now: Timestamp) -> Self {
        guard answer.isValid else { return .refused(.refusedByAuthService) }
        guard let userID = try? UserID(validating: answer.userID, field: "user_id") else {
            return .failed("the answer accepts a token and names no usable user_id", isServiceAway: false)
        }
        var claims = TokenClaims(userID: userID, username: answer.username, expiresAt: nil)
        claims.roles = Set(answer.roles)
        guard answer.expiresAt != 0 else { return .accepted(claims) }
        // Some 280,000 years.
        let seconds = min(max(answer.expiresAt, 0), 1 << 43)
        let end = Timestamp(milliseconds: seconds * 1000)
        guard end.milliseconds > now.milliseconds else { return .refused(.expired) }
        claims.expiresAt = end
        return .accepted(claims)
    }

    var verdict: TokenVerdict {
        switch self {
        case .accepted(let claims): .valid(claims)
        case .refused(let reason): .refused(reason)
        case .failed, .notSent: .unavailable
        }
    }
}
