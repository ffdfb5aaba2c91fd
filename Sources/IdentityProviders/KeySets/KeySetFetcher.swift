import HTTPClient
import Identity
import JSON

/// Where a key set is published.
public enum KeySetLocation: Hashable, Sendable {
    /// The URL of the set.
    case url(String)
    /// The issuer whose configuration names the set's URL (OpenID Connect Discovery 1.0 section 4).
    case issuer(String)

    /// The URL or the issuer.
    public var text: String {
        switch self {
        case .url(let text), .issuer(let text): text
        }
    }
}

/// Why a key set was not fetched. Holds no part of a path or an answer.
struct KeySetFetchFailure: Error, CustomStringConvertible {
    let description: String
}

/// A fetched set, and how long it is fresh.
struct FetchedKeySet: Sendable {
    var keys: VerificationKeys
    /// What the server says; nil where it says nothing.
    var maximumAge: Duration?
}

/// Fetches a key set from its server.
///
/// Only the configuration, and the answer of the issuer that it names, decide which URLs are fetched. A token decides nothing.
struct KeySetFetcher: Sendable {
    /// The time of one request. Discovery needs two.
    private static let deadline: Duration = .seconds(3)
    /// The largest answer, in bytes. A hundred keys with certificates need a third of it.
    private static let maximumBytes = 1 << 20
    private static let maximumRedirects = 3

    let location: KeySetLocation
    let client: HTTPClient

    func fetch() async throws(KeySetFetchFailure) -> FetchedKeySet {
        let url =
            switch location {
            case .url(let url): url
            case .issuer(let issuer): try await discover(issuer)
            }
        let response = try await get(url, "the key set")
        let keys: VerificationKeys
        do throws(KeySetError) { keys = try VerificationKeys(jwks: response.body) } catch {
            throw KeySetFetchFailure(description: "the key set: \(error)")
        }
        return FetchedKeySet(keys: keys, maximumAge: CacheControl.maximumAge(response[field: "cache-control"]))
    }

    private func discover(_ issuer: String) async throws(KeySetFetchFailure) -> String {
        let response = try await get(Self.configurationURL(of: issuer), "the issuer's configuration")
        return try Self.keySetURL(in: response.body, of: issuer)
    }

    static func configurationURL(of issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + "/.well-known/openid-configuration"
    }

    /// The `jwks_uri` of an issuer's configuration. It may be on another host, and is `https` where the issuer is.
    static func keySetURL(in configuration: [UInt8], of issuer: String) throws(KeySetFetchFailure) -> String {
        guard let configuration = try? JSONValue(parsing: configuration), configuration.object != nil else {
            throw KeySetFetchFailure(description: "the issuer's configuration is not a JSON object")
        }
        guard configuration["issuer"]?.string == issuer else {
            throw KeySetFetchFailure(description: "the issuer's configuration names another issuer")
        }
        guard let url = configuration["jwks_uri"]?.string, url.utf8.count <= 2048, let origin = Origin(of: url) else {
            throw KeySetFetchFailure(description: "the issuer's configuration names no URL of a key set (jwks_uri)")
        }
        guard origin.scheme == "https" || Origin(of: issuer)?.scheme == "http" else {
            throw KeySetFetchFailure(description: "the issuer's configuration names a key set without TLS")
        }
        return url
    }

    private func get(_ url: String, _ name: String) async throws(KeySetFetchFailure) -> HTTPClientResponse {
        let request = HTTPClientRequest(
            .get, url, fields: [("Accept", "application/json")], deadline: Self.deadline,
            maximumBytes: Self.maximumBytes, maximumRedirects: Self.maximumRedirects)
        let response: HTTPClientResponse
        do throws(HTTPClientError) { response = try await client.send(request) } catch {
            throw KeySetFetchFailure(description: "\(name): \(error)")
        }
        guard response.status == 200 else {
            throw KeySetFetchFailure(description: "\(name): the server answers with status \(response.status)")
        }
        return response
    }
}
