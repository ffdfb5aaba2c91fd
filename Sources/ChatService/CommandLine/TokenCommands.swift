import ChatDomain
import Identity

/// `token mint` and `token check`.
enum TokenCommands {
    struct Failure: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    static func mint(
        _ request: TokenRequest, by authentication: Configuration.Authentication, now: Timestamp
    ) throws(Failure) -> String {
        guard let minter = authentication.minter() else {
            throw Failure(
                description: "token mint needs JWT_SECRET; this service holds no private key of other algorithms")
        }
        let user: UserID
        do throws(ChatError) { user = try UserID(validating: request.user, field: "--user") } catch {
            throw Failure(description: error.message)
        }
        return minter.mint(
            userID: user, username: request.name, lifetime: request.lifetime ?? authentication.tokenLifetime, now: now)
    }

    /// The claims of a token that the server would accept, one a line.
    static func check(_ token: String, by verifier: TokenVerifier?, now: Timestamp) throws(Failure) -> String {
        guard let verifier else {
            throw Failure(description: "token check needs JWT_SECRET, JWT_PUBLIC_KEY_FILE or JWT_JWKS_FILE")
        }
        let claims: TokenClaims
        do throws(TokenRefusal) {
            claims = try verifier.check(token.filter { !$0.isWhitespace }, now: now)
        } catch {
            throw Failure(description: "refused: \(error)")
        }
        let lines: [(name: String, value: String?)] = [
            ("user", claims.userID.value), ("username", claims.username), ("name", claims.name),
            ("issuer", claims.issuer),
            ("audience", claims.audiences.isEmpty ? nil : claims.audiences.joined(separator: ", ")),
            ("issued", claims.issuedAt?.iso8601), ("valid from", claims.notBefore?.iso8601),
            ("expires", claims.expiresAt?.iso8601 ?? "never"),
        ]
        return lines.compactMap { line in line.value.map { "\(line.name): \($0)" } }.joined(separator: "\n")
    }
}
