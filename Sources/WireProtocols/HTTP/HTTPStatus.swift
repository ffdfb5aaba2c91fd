/// Reason phrases of the status codes this server gives (RFC 9110 section 15, RFC 6585).
enum HTTPStatus {
    static func reason(of status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Unknown"
        }
    }

    /// Whether a response of this status never has a body (RFC 9110 section 6.4.1).
    static func isBodiless(_ status: Int) -> Bool {
        status < 200 || status == 204 || status == 304
    }
}

/// Why a request is refused by the protocol itself, and with what status. The connection closes after the answer.
public struct HTTPRefusal: Error, Sendable, Equatable {
    public let status: Int
    /// The fault, for the client to read; it never quotes the request.
    public let detail: String
    /// Fields the answer must carry, such as the version that is asked for with 426.
    public let fields: [HTTPField]
    /// `Origin` and `Host` of the refused request, as far as it could be read: for the CORS fields that let a page read the refusal.
    public var origin: String?
    public var host: String?

    public init(status: Int, detail: String, fields: [HTTPField] = []) {
        self.status = status
        self.detail = detail
        self.fields = fields
    }

    /// The status's phrase.
    public var reason: String { HTTPStatus.reason(of: status) }

    static func badRequest(_ detail: String) -> HTTPRefusal {
        HTTPRefusal(status: 400, detail: detail)
    }
}
