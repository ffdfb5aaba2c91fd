import ChatDomain
import JSON
import WireProtocols

/// Errors over HTTP: `application/problem+json` (RFC 9457) with the contract's `code` and `success:false` beside.
package enum Problem {
    /// - Parameter members: writes members of the body beyond those of every problem.
    package static func response(
        _ error: ChatError, members: (inout JSONWriter) -> Void = { _ in }
    ) -> HTTPResponse {
        var response = response(
            status: error.code.httpStatus, code: error.code.rawValue, detail: error.message,
            retryable: error.code.isRetryable, members: members)
        if let wait = error.retryAfter {
            response.fields.append(HTTPField("Retry-After", String((wait.wholeMilliseconds + 999) / 1000)))
        }
        if error.code.httpStatus == 401 { response.fields.append(HTTPField("WWW-Authenticate", "Bearer")) }
        return response
    }

    package static func response(_ refusal: HTTPRefusal) -> HTTPResponse {
        var response = response(
            status: refusal.status, code: code(forStatus: refusal.status), detail: refusal.detail,
            retryable: refusal.status == 503)
        response.fields += refusal.fields
        return response
    }

    private static func response(
        status: Int, code: String, detail: String, retryable: Bool, members: (inout JSONWriter) -> Void = { _ in }
    ) -> HTTPResponse {
        let body = EventJSON.object { out in
            out.member("type", "about:blank")
            out.member("title", HTTPResponse(status: status).reason)
            out.member("status", status)
            out.member("detail", detail)
            out.member("code", code)
            out.member("retryable", retryable)
            out.member("success", false)
            members(&out)
        }
        return HTTPResponse(status: status, fields: [HTTPField("Content-Type", "application/problem+json")], body: body)
    }

    private static func code(forStatus status: Int) -> String {
        switch status {
        case 408: "request_timeout"
        case 413: "payload_too_large"
        case 426: "upgrade_required"
        case 431: "header_too_large"
        case 503: "overloaded"
        case 505: "version_not_supported"
        default: "bad_request"
        }
    }
}

extension HTTPResponse {
    package static func json(_ body: [UInt8], status: Int = 200, fields: [HTTPField] = []) -> HTTPResponse {
        HTTPResponse(status: status, fields: [HTTPField("Content-Type", "application/json")] + fields, body: body)
    }
}
