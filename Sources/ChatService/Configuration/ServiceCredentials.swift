import Crypto
import Identity

/// The certificates and keys that a configuration names, read from their files. A reload reads them again.
struct ServiceCredentials: Sendable {
    /// nil: no TLS.
    var tls: TLSCredentials?
    /// nil: no key verifies tokens.
    var tokenKeys: VerificationKeys?
    /// nil: no service may call.
    var serviceKey: Secret?

    /// - Throws: the variable and the file that cannot be used, with the reason; never the content.
    init(_ configuration: Configuration) throws(InvalidConfiguration) {
        tls = try configuration.listening.tls.map { paths throws(InvalidConfiguration) in try paths.credentials() }
        tokenKeys = try configuration.authentication.tokenKeys()
        serviceKey = configuration.authentication.serviceKey
    }
}

extension Configuration.Authentication {
    /// Verifies tokens by the configured keys; nil when no key is configured.
    func verifier() throws(InvalidConfiguration) -> TokenVerifier? { try tokenKeys().map { verifier($0) } }

    func verifier(_ keys: VerificationKeys) -> TokenVerifier {
        TokenVerifier(keys: keys, issuer: issuer, audience: audience)
    }

    /// Mints tokens that the verifier accepts; nil without a shared secret, as the service holds no private key.
    func minter() -> TokenMinter? {
        secret.map { TokenMinter(secret: Array($0.text.utf8), issuer: issuer, audience: audience) }
    }

    fileprivate func tokenKeys() throws(InvalidConfiguration) -> VerificationKeys? {
        guard hasKey else { return nil }
        var keys = VerificationKeys(secret: Array((secret?.text ?? "").utf8))
        if let publicKeyFile {
            let bytes = try Self.content(of: publicKeyFile, for: Variables.jwtPublicKeyFile)
            do throws(PublicKey.Refusal) { keys = keys.adding(try VerificationKeys(publicKeyPEM: bytes)) } catch {
                throw .unusable(publicKeyFile, for: Variables.jwtPublicKeyFile, "\(error)")
            }
        }
        if let keySetFile {
            let bytes = try Self.content(of: keySetFile, for: Variables.jwtJWKSFile)
            do throws(KeySetError) { keys = keys.adding(try VerificationKeys(jwks: bytes)) } catch {
                throw .unusable(keySetFile, for: Variables.jwtJWKSFile, "\(error)")
            }
        }
        return keys
    }

    private static func content(
        of path: String, for variable: any AnyVariable
    ) throws(InvalidConfiguration) -> [UInt8] {
        guard let bytes = try BoundedFile.bytes(at: path) else {
            throw .unusable(path, for: variable, "the file does not exist")
        }
        return bytes
    }
}

extension Configuration.TLSPaths {
    fileprivate func credentials() throws(InvalidConfiguration) -> TLSCredentials {
        do throws(TLSError) {
            return try TLSCredentials(certificateChainFile: certificate, privateKeyFile: key)
        } catch {
            throw InvalidConfiguration(
                problems: ["\(Variables.tlsCertificate.name), \(Variables.tlsKey.name): \(error)"], warnings: [])
        }
    }
}

extension InvalidConfiguration {
    fileprivate static func unusable(_ path: String, for variable: any AnyVariable, _ reason: String) -> Self {
        Self(problems: ["\(variable.name)=\(path): \(reason)"], warnings: [])
    }
}
