import ChatDomain
import Crypto

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The settings, the files that they name, and who may read those.
enum ConfigurationChecks {
    private static let check = "configuration"
    /// An expiry this near is a warning. Certificate authorities renew 30 days before.
    private static let expiryNotice: Int64 = 14 * 86_400

    static func problems(_ invalid: InvalidConfiguration) -> [Finding] {
        invalid.problems.map { .error(check, $0, do: "correct the variable; the service does not start with it") }
            + invalid.warnings.map { warning($0) }
    }

    static func findings(_ loaded: LoadedConfiguration, _ source: ConfigurationSource, now: Timestamp) -> [Finding] {
        let configuration = loaded.configuration
        var findings = loaded.warnings.map { warning($0) }
        findings += StartBanner.warnings(configuration).map {
            .warning(
                check, $0.message,
                do: "set JWT_SECRET, a public key, a key set or AUTH_GRPC_URL before others may connect")
        }
        let credentials: ServiceCredentials
        do throws(InvalidConfiguration) { credentials = try ServiceCredentials(configuration) } catch {
            return findings + problems(error)
        }
        if findings.isEmpty {
            findings.append(.ok(check, "all settings are allowed, and the files that they name can be used"))
        }
        findings += missingKeys(configuration)
        if let tls = credentials.tls { findings.append(expiry(tls, now: now)) }
        return findings + secretFiles(configuration, source).compactMap(exposure)
    }

    private static func warning(_ text: String) -> Finding {
        .warning(check, text, do: "see docs/configuration.md")
    }

    private static func missingKeys(_ configuration: Configuration) -> [Finding] {
        guard configuration.authentication.serviceKey == nil else { return [] }
        return [
            .note(
                check, "no service may call: SERVICE_API_KEY is not set",
                do: "set it for the management routes and the commands that use them (openssl rand -hex 32)")
        ]
    }

    /// Seconds since the epoch, both.
    static func expiry(at end: Int64?, now: Int64) -> Finding {
        let renew = "renew it, then reload the service (systemctl reload, or SIGHUP)"
        guard let end else { return .note("certificate", "the end of the TLS certificate cannot be read", do: renew) }
        let left = end - now
        let time = Timestamp(milliseconds: end.multipliedReportingOverflow(by: 1000).partialValue).iso8601
        if left <= 0 { return .error("certificate", "a certificate of TLS_CERT_FILE expired at \(time)", do: renew) }
        let text = "the certificates of TLS_CERT_FILE are valid for \(left / 86_400) more days, until \(time)"
        return left < expiryNotice ? .warning("certificate", text, do: renew) : .ok("certificate", text)
    }

    private static func expiry(_ tls: TLSCredentials, now: Timestamp) -> Finding {
        expiry(at: tls.expirySeconds(), now: now.milliseconds / 1000)
    }

    private static func secretFiles(_ configuration: Configuration, _ source: ConfigurationSource) -> [String] {
        [configuration.listening.tls?.key, source.environmentFile].compactMap(\.self)
    }

    /// nil for a file that is not there.
    private static func exposure(_ path: String) -> Finding? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard status.st_mode & 0o007 != 0 else {
            return .ok("permissions", "\(path) is not open to other users of this host")
        }
        return .warning(
            "permissions", "other users of this host may open \(path), which holds secrets", do: "chmod o-rwx \(path)")
    }
}
