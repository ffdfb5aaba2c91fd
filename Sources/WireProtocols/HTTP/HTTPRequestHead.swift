import Synchronization

public enum HTTPVersion: Sendable, Equatable {
    case http10
    case http11
}

/// How long a request's body is (RFC 9112 section 6.3).
public enum HTTPBodyFraming: Sendable, Equatable {
    case none
    /// Bytes, at least one.
    case length(Int)
    case chunked
}

/// How the body of a request is taken.
public enum HTTPBodyRule: Sendable, Equatable {
    /// As a whole, up to the decoder's limit.
    case collected
    /// In parts, as its bytes come, and at most this many bytes.
    case streamed(maximumBytes: Int)
}

/// A request's line and header fields, checked. An object, as it is passed on often; what it says never changes.
public final class HTTPRequestHead: Sendable {
    public let method: String
    public let target: HTTPTarget
    public let version: HTTPVersion
    public let headers: HTTPHeaders
    public let framing: HTTPBodyFraming
    /// Whether the connection may carry another request after this one (RFC 9112 section 9.3).
    public let keepsAlive: Bool
    /// Whether the client waits for a `100 Continue` before it sends the body (RFC 9110 section 10.1.1).
    public let expectsContinue: Bool
    private let attached = Mutex<(any AnyObject & Sendable)?>(nil)

    /// What its receiver has made of this head and keeps with it, as the same head may come again (`HTTPHeadMemory`).
    public var attachment: (any AnyObject & Sendable)? {
        get { attached.withLock { $0 } }
        set { attached.withLock { $0 = newValue } }
    }

    init(
        method: String, target: HTTPTarget, version: HTTPVersion, headers: HTTPHeaders, framing: HTTPBodyFraming,
        keepsAlive: Bool, expectsContinue: Bool
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.framing = framing
        self.keepsAlive = keepsAlive
        self.expectsContinue = expectsContinue
    }

    /// Whether the client asks to continue in another protocol, such as `websocket`.
    public func asksToUpgrade(to token: String) -> Bool {
        headers.contains(token: token, in: "Upgrade")
    }

    /// The decoded path; nil when its encoding is malformed.
    public var path: String? { target.path }

    /// The decoded value of the first query item called `name`.
    public func queryValue(_ name: String) -> String? {
        target.queryItems?.first { $0.name == name }?.value
    }
}
