import CCurl

/// One request: its handle of libcurl and what has come of its answer. Confined to the client's thread.
final class Transfer {
    enum Ending {
        case finished(Result<HTTPClientResponse, HTTPClientError>)
        /// `prepare` makes the next request.
        case redirected
    }

    /// Bytes of an answer's header fields and trailers.
    private static let maximumFieldBytes = 65_536

    let deadline: ContinuousClock.Instant
    private(set) var handle: UnsafeMutableRawPointer?
    private let request: HTTPClientRequest
    private let finish: @Sendable (Result<HTTPClientResponse, HTTPClientError>) -> Void
    private var url: String
    private var redirects = 0
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    private var fields: [(name: String, value: String)] = []
    private var fieldBytes = 0
    private var body: [UInt8] = []
    private var isTooLarge = false

    init(_ submission: TransferInbox.Submission) {
        request = submission.request
        deadline = submission.deadline
        finish = submission.finish
        url = submission.request.url
    }

    deinit { release() }

    /// Frees the handle, and gives the result to the caller.
    func finish(_ result: Result<HTTPClientResponse, HTTPClientError>) {
        release()
        finish(result)
    }

    private func release() {
        curl_easy_cleanup(handle)
        curl_slist_free_all(fieldList)
        handle = nil
        fieldList = nil
    }

    /// The connection is closed with the transfer: one that did not answer in time may be dead.
    func forbidReuse() {
        if let handle { _ = shim_curl_set_number(handle, CURLOPT_FORBID_REUSE, 1) }
    }

    // MARK: The request

    /// A new handle for the request, or for the one after a redirect.
    func prepare(
        _ settings: HTTPClient.Settings, maximumIdleSeconds: Int
    ) throws(HTTPClientError) -> UnsafeMutableRawPointer {
        release()
        fields = []
        fieldBytes = 0
        body = []
        guard let origin = Origin(of: url) else { throw .invalidRequest("the URL is not http or https") }
        guard request.fields.allSatisfy({ Self.isValid($0.name) && Self.isValid($0.value) }) else {
            throw .invalidRequest("a field holds a line break")
        }
        guard let handle = curl_easy_init() else { throw .overloaded }
        self.handle = handle
        _ = shim_curl_set_text(handle, CURLOPT_URL, url)
        _ = shim_curl_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = shim_curl_set_text(handle, CURLOPT_PROXY, "")
        _ = shim_curl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        _ = shim_curl_set_number(handle, CURLOPT_TCP_KEEPALIVE, 1)
        _ = shim_curl_set_number(handle, CURLOPT_MAXAGE_CONN, maximumIdleSeconds)
        if let file = settings.certificateAuthorities {
            _ = shim_curl_set_text(handle, CURLOPT_CAINFO, file)
            _ = shim_curl_set_text(handle, CURLOPT_CAPATH, nil)
        }
        setVersion(handle, origin)
        setMethod(handle)
        setFields(handle)
        setSinks(handle)
        return handle
    }

    private static func isValid(_ text: String) -> Bool { !text.utf8.contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D } }

    private func setVersion(_ handle: UnsafeMutableRawPointer, _ origin: Origin) {
        guard request.version == .http2 else { return }
        let version = origin.scheme == "https" ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
        _ = shim_curl_set_number(handle, CURLOPT_HTTP_VERSION, Int(version))
        if origin.scheme == "http", !Self.keepsConnectionsInClearText {
            _ = shim_curl_set_number(handle, CURLOPT_FRESH_CONNECT, 1)
            _ = shim_curl_set_number(handle, CURLOPT_FORBID_REUSE, 1)
        } else {
            // Requests share the connection that is being opened, instead of opening one each.
            _ = shim_curl_set_number(handle, CURLOPT_PIPEWAIT, 1)
        }
    }

    /// libcurl before 8.0 begins HTTP/2 anew with each request on a connection in clear text, which is a framing error.
    private static let keepsConnectionsInClearText =
        (curl_version_info(CURLVERSION_FIRST)?.pointee.version_num ?? 0) >= 0x08_00_00

    private func setMethod(_ handle: UnsafeMutableRawPointer) {
        guard request.method != .get else { return }
        _ = shim_curl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(request.body.count))
        request.body.withUnsafeBytes { bytes in
            let empty: [UInt8] = [0]
            empty.withUnsafeBytes { empty in
                let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? empty.baseAddress)
                _ = shim_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, start)
            }
        }
        _ = shim_curl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    private func setFields(_ handle: UnsafeMutableRawPointer) {
        // No waiting for "100 Continue".
        fieldList = curl_slist_append(nil, "Expect:")
        for (name, value) in request.fields {
            fieldList = curl_slist_append(fieldList, value.isEmpty ? "\(name);" : "\(name): \(value)") ?? fieldList
        }
        _ = shim_curl_set_pointer(handle, CURLOPT_HTTPHEADER, fieldList)
    }

    private func setSinks(_ handle: UnsafeMutableRawPointer) {
        let this = Unmanaged.passUnretained(self).toOpaque()
        _ = shim_curl_set_pointer(handle, CURLOPT_HEADERDATA, this)
        _ = shim_curl_set_sink(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            Transfer.take(bytes, size * count, context) { $0.receivedField($1) }
        }
        _ = shim_curl_set_pointer(handle, CURLOPT_WRITEDATA, this)
        _ = shim_curl_set_sink(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            Transfer.take(bytes, size * count, context) { $0.receivedBody($1) }
        }
    }

    // MARK: The answer

    /// - Returns: the number of bytes when `body` takes them; 0, which ends the transfer, when it does not.
    private static func take(
        _ bytes: UnsafeMutablePointer<CChar>, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ body: (Transfer, UnsafeRawBufferPointer) -> Bool
    ) -> Int {
        guard let context else { return 0 }
        let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        return body(transfer, UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
    }

    private func receivedBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        isTooLarge = body.count + bytes.count > request.maximumBytes
        if !isTooLarge { body.append(contentsOf: bytes) }
        return !isTooLarge
    }

    /// Takes a status line, a field or a trailer, with its line break.
    private func receivedField(_ bytes: UnsafeRawBufferPointer) -> Bool {
        fieldBytes += bytes.count
        isTooLarge = fieldBytes > Self.maximumFieldBytes
        guard !isTooLarge else { return false }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // An interim answer came before.
            fields = []
        } else if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let value = line[line.index(after: colon)...]
            fields.append((line[..<colon].lowercased(), Self.trimmed(value)))
        }
        return true
    }

    private static func trimmed(_ value: Substring) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A }
        var bytes = value.utf8.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return String(Substring(bytes))
    }

    /// libcurl is done with the handle.
    func ended(_ code: CURLcode) -> Ending {
        guard let handle else { return .finished(.failure(.closed)) }
        guard code == CURLE_OK else { return .finished(.failure(failure(code))) }
        if request.version == .http2, shim_curl_number(handle, CURLINFO_HTTP_VERSION) != Int(CURL_HTTP_VERSION_2_0) {
            return .finished(.failure(.unreachable("\(hostName): it does not speak HTTP/2")))
        }
        let status = shim_curl_number(handle, CURLINFO_RESPONSE_CODE)
        if request.method == .get, request.maximumRedirects > 0, (300..<400).contains(status),
            let target = shim_curl_text(handle, CURLINFO_REDIRECT_URL).map({ String(cString: $0) })
        {
            guard redirects < request.maximumRedirects, let origin = Origin(of: target), origin == Origin(of: url)
            else {
                return .finished(.failure(.redirectRefused))
            }
            redirects += 1
            url = target
            return .redirected
        }
        return .finished(.success(HTTPClientResponse(status: status, fields: fields, body: body)))
    }

    private var hostName: String { Origin(of: url).map { "\($0.host):\($0.port)" } ?? "" }

    private func failure(_ code: CURLcode) -> HTTPClientError {
        if isTooLarge { return .tooLarge }
        let reason = "\(hostName): \(String(cString: curl_easy_strerror(code)))"
        return switch code {
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL: .invalidRequest(reason)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR:
            .untrusted(reason)
        default: .unreachable(reason)
        }
    }
}
