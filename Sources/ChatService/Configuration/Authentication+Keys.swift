import Crypto
import Identity

extension Configuration.Authentication {
    /// Judges tokens by the configured keys; nil where none is configured.
    ///
    /// - Throws: what is wrong with a key file's content, the variable named.
    func verifier() throws(InvalidConfiguration) -> TokenVerifier? {
        guard hasKey else { return nil }
        var keys = VerificationKeys(secret: Array((secret?.text ?? "").utf8))
        if let publicKeyFile {
            let bytes = try Self.content(of: publicKeyFile, for: Variables.jwtPublicKeyFile)
            do throws(PublicKey.Refusal) { keys = keys.adding(try VerificationKeys(publicKeyPEM: bytes)) } catch {
                throw Self.unusable(publicKeyFile, for: Variables.jwtPublicKeyFile, "\(error)")
            }
        }
        if let keySetFile {
            let bytes = try Self.content(of: keySetFile, for: Variables.jwtJWKSFile)
            do throws(KeySetError) { keys = keys.adding(try VerificationKeys(jwks: bytes)) } catch {
                throw Self.unusable(keySetFile, for: Variables.jwtJWKSFile, "\(error)")
            }
        }
        return TokenVerifier(keys: keys, issuer: issuer, audience: audience)
    }

    /// Makes tokens that the verifier accepts; nil without a shared secret, as nobody else's private key is here.
    func minter() -> TokenMinter? {
        secret.map { TokenMinter(secret: Array($0.text.utf8), issuer: issuer, audience: audience) }
    }

    private static func content(
        of path: String, for variable: any AnyVariable
    ) throws(InvalidConfiguration) -> [UInt8] {
        guard let bytes = try BoundedFile.bytes(at: path) else { throw unusable(path, for: variable, "it is gone") }
        return bytes
    }

    private static func unusable(
        _ path: String, for variable: any AnyVariable, _ reason: String
    ) -> InvalidConfiguration {
        InvalidConfiguration(problems: ["\(variable.name)=\(path): \(reason)"], warnings: [])
    }
}
