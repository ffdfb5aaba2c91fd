/// A request to another server.
public struct HTTPClientRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// The version of HTTP that a request needs.
    public enum Version: Sendable {
        /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
        case any
        /// HTTP/2 alone: negotiated by TLS, or assumed in clear text ("prior knowledge", RFC 9113 section 3.3).
        case http2
    }

    public var method: Method
    /// An absolute URL of the scheme `http` or `https`.
    public var url: String
    /// Names and values, neither with line breaks. `Content-Length` is set by the client.
    public var fields: [(name: String, value: String)]
    /// Sent when the method is not GET.
    public var body: [UInt8]
    public var version: Version
    /// The time that the whole call may take, redirects included.
    public var deadline: Duration
    /// The largest body that is taken, in bytes.
    public var maximumBytes: Int
    /// Redirects that a GET follows, all of them to the scheme, host and port of `url`.
    public var maximumRedirects: Int

    public init(
        _ method: Method = .get, _ url: String, fields: [(name: String, value: String)] = [], body: [UInt8] = [],
        version: Version = .any, deadline: Duration = .seconds(5), maximumBytes: Int = 1 << 20,
        maximumRedirects: Int = 0
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.version = version
        self.deadline = deadline
        self.maximumBytes = maximumBytes
        self.maximumRedirects = maximumRedirects
    }
}

/// The answer of another server. A status of 400 or more is an answer too.
public struct HTTPClientResponse: Sendable {
    public var status: Int
    /// Names in lower case, in the order of their arrival; trailers are behind the header fields (RFC 9110 section 6.5).
    public var fields: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The last value of that name, which is a trailer's where there is one.
    ///
    /// - Parameter name: in lower case.
    public subscript(field name: String) -> String? { fields.last { $0.name == name }?.value }
}

/// Why there is no answer. The texts name hosts, and hold no part of a path, a field or a body.
public enum HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The request is not valid: a bad URL or field.
    case invalidRequest(String)
    /// The server cannot be reached, or the connection broke.
    case unreachable(String)
    /// The server's certificate is not trusted, or TLS failed otherwise.
    case untrusted(String)
    case timedOut
    /// The answer is larger than the request allows.
    case tooLarge
    /// A redirect to another scheme, host or port, or more of them than the request allows.
    case redirectRefused
    /// As many requests as the client performs at once are under way.
    case overloaded
    /// The client was closed.
    case closed

    public var description: String {
        switch self {
        case .invalidRequest(let reason): "the request is not valid: \(reason)"
        case .unreachable(let reason): reason
        case .untrusted(let reason): "TLS: \(reason)"
        case .timedOut: "no answer in time"
        case .tooLarge: "the answer is too large"
        case .redirectRefused: "redirected to another host, or too often"
        case .overloaded: "too many requests are under way"
        case .closed: "the client is closed"
        }
    }
}
