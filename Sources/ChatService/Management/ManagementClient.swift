import ChatDomain
import HTTPClient
import JSON

/// Why a call of a running server did not succeed. Holds no part of the key.
struct ManagementError: Error, Equatable, CustomStringConvertible {
    let description: String
    /// Whether the same call may succeed later.
    var isPassing = false
}

/// Calls the management routes of a running server, with the service key.
struct ManagementClient: Sendable {
    private static let deadline: Duration = .seconds(30)
    /// A page of an export holds a thousand messages.
    private static let maximumBytes = 256 << 20

    private let client: HTTPClient
    private let base: String
    private let key: Secret
    private let actor: UserID?
    private let account: String

    /// - Parameters:
    ///   - actor: the user that calls, for the audit trail; nil for a caller that names none.
    ///   - account: the account that calls, likewise.
    init(_ server: ManagedServer, client: HTTPClient, actor: UserID? = nil, account: String) {
        self.client = client
        base = server.url
        key = server.key
        self.actor = actor
        self.account = account
    }

    struct Answer: Sendable {
        let status: Int
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }

        func json() throws(ManagementError) -> JSONValue {
            guard let value = try? JSONValue(parsing: bytes), value.object != nil else {
                throw ManagementError(description: "the server's answer is not a JSON object; is this chat-service?")
            }
            return value
        }
    }

    /// - Parameters:
    ///   - path: segments that are not encoded yet.
    ///   - user: the user that the call acts for; nil: the actor.
    ///   - refusal: the status of a refusal that is an answer too.
    /// - Returns: an answer of status 200 to 299, or `refusal`.
    func call(
        _ method: HTTPClientRequest.Method = .get, _ path: [String], query: [QueryItem] = [], body: [UInt8] = [],
        actingFor user: String? = nil, accepting refusal: Int? = nil
    ) async throws(ManagementError) -> Answer {
        var fields = [("X-Service-Key", key.text), ("Accept", "application/json, application/x-ndjson")]
        if !body.isEmpty { fields.append(("Content-Type", "application/json")) }
        fields.append(("From", account))
        if let user = user ?? actor?.value { fields.append(("X-User-Id", user)) }
        let request = HTTPClientRequest(
            method, url(path, query), fields: fields, body: body, deadline: Self.deadline,
            maximumBytes: Self.maximumBytes)
        let response: HTTPClientResponse
        do throws(HTTPClientError) { response = try await client.send(request) } catch {
            throw ManagementError(description: "\(base): \(error)", isPassing: Self.isPassing(error))
        }
        guard (200..<300).contains(response.status) || response.status == refusal else {
            throw Self.refusal(response)
        }
        return Answer(status: response.status, bytes: response.body)
    }

    func close() async { await client.close() }

    private func url(_ path: [String], _ query: [QueryItem]) -> String {
        let address = base + path.map { "/" + Self.encoded($0) }.joined()
        guard !query.isEmpty else { return address }
        return address + "?" + query.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            // Unreserved: RFC 3986 section 2.3.
            let isPlain = byte < 0x80 && (character.isLetter || character.isNumber || "-._~".contains(character))
            if isPlain { return String(character) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count < 2 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }

    private static func isPassing(_ error: HTTPClientError) -> Bool {
        switch error {
        case .unreachable, .timedOut, .overloaded: true
        case .invalidRequest, .untrusted, .tooLarge, .redirectRefused, .closed: false
        }
    }

    /// The reason of a problem document (RFC 9457).
    private static func refusal(_ response: HTTPClientResponse) -> ManagementError {
        let problem = try? JSONValue(parsing: response.body)
        let code = problem?["code"]?.string ?? "status \(response.status)"
        let detail = problem?["detail"]?.string ?? "no reason given"
        let hint = response.status == 401 ? "; is it the service key of this deployment?" : ""
        return ManagementError(
            description: "the server refuses: \(detail.printable) (\(code.printable))\(hint)",
            isPassing: response.status >= 500 || response.status == 429)
    }
}
