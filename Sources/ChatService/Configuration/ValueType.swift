import ChatDomain
import EventLoop
import Gateway
import HTTPClient
import Identity
import PersistenceMongoDB
import RedisLink

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The texts that a variable allows, and the values they stand for.
struct ValueType<Value: Sendable>: Sendable {
    /// Ends the sentence "allowed: …".
    let allowed: String
    /// nil when the text is not allowed. The text is never empty, as an empty variable counts as unset.
    let parse: @Sendable (String) -> Value?
}

/// A setting chosen from a few words, which are its raw values.
protocol Choice: RawRepresentable<String>, CaseIterable, Sendable, Hashable {}

extension ValueType {
    static func choice() -> Self where Value: Choice {
        Self(allowed: Value.allCases.map(\.rawValue).joined(separator: ", ")) { Value(rawValue: $0.lowercased()) }
    }
}

extension ValueType<Int> {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self(allowed: "an integer from \(range.lowerBound) to \(range.upperBound)") { text in
            guard let value = Int(text), range.contains(value) else { return nil }
            return value
        }
    }
}

extension ValueType<Duration> {
    /// A span written as a whole number of milliseconds.
    static func milliseconds(_ range: ClosedRange<Int>) -> Self {
        whole(ValueType<Int>.integer(range)) { .milliseconds($0) }
    }

    /// A span written as a whole number of microseconds.
    static func microseconds(_ range: ClosedRange<Int>) -> Self {
        whole(ValueType<Int>.integer(range)) { .microseconds($0) }
    }

    /// A span written as a whole number of seconds.
    static func seconds(_ range: ClosedRange<Int>) -> Self { whole(ValueType<Int>.integer(range)) { .seconds($0) } }

    /// A span of at most ten years, written with its unit.
    static let withUnit = Self(allowed: "seconds, or a number with a unit: 90s, 15m, 24h, 7d") { text in
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        let digits = unit == nil ? text[...] : text.dropLast()
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits), number > 0 else {
            return nil
        }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        return overflow || seconds > 3650 * 86_400 ? nil : .seconds(seconds)
    }

    private static func whole(_ type: ValueType<Int>, _ span: @escaping @Sendable (Int) -> Duration) -> Self {
        Self(allowed: type.allowed) { text in type.parse(text).map(span) }
    }
}

extension ValueType<Duration?> {
    /// A span written as a whole number of milliseconds. 0 turns it off, which is nil here.
    static func milliseconds(upTo maximum: Int) -> Self {
        let type = ValueType<Int?>.limit(upTo: maximum)
        return Self(allowed: type.allowed) { text in type.parse(text).map { $0.map { .milliseconds($0) } } }
    }
}

extension ValueType<Int?> {
    /// A limit that 0 turns off, which is nil here.
    static func limit(upTo maximum: Int) -> Self {
        Self(allowed: "an integer from 1 to \(maximum), or 0 for no limit") { text -> Int?? in
            guard let value = Int(text), (0...maximum).contains(value) else { return .none }
            return .some(value == 0 ? nil : value)
        }
    }
}

extension ValueType<Double> {
    static let ratio = Self(allowed: "a number from 0 to 1") { text in
        guard let value = Double(text), (0...1).contains(value) else { return nil }
        return value
    }
}

extension ValueType<Bool> {
    static let flag = Self(allowed: "true or false (also 1/0, yes/no, on/off)") { text in
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }
}

extension ValueType<String> {
    /// A name in a bounded alphabet that is safe in keys, logs and addresses.
    static func name(upTo length: Int) -> Self {
        Self(allowed: "1 to \(length) letters, digits, dots, - or _") { text in
            let isPlain = text.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
            return isPlain && text.utf8.count <= length ? text : nil
        }
    }

    static let text = Self(allowed: "a text") { $0 }

    /// An address of HTTP without credentials.
    static let webURL = Self(
        allowed: "https://host[:port][/path], or http:// on a network of your own"
    ) { text in
        guard let url = ServerURL(text), ["https", "http"].contains(url.scheme), url.user == nil, url.password == nil,
            text.utf8.count <= 2048, Origin(of: text) != nil
        else { return nil }
        return text
    }

    /// The server of gRPC calls, as the URL of their HTTP/2 requests.
    static let grpcURL = Self(allowed: "grpc://host[:port], or grpcs:// with TLS; port 50051 where none is named") {
        text in
        guard let url = ServerURL(text), let scheme = ["grpc": "http", "grpcs": "https"][url.scheme],
            url.user == nil, url.password == nil, url.path?.isEmpty ?? true, url.query == nil
        else { return nil }
        let host = url.host.contains(":") ? "[\(url.host)]" : url.host
        let address = "\(scheme)://\(host):\(url.port ?? 50_051)"
        return Origin(of: address) == nil ? nil : address
    }

    static let grpcMethod = Self(allowed: "/package.Service/Method") { text in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let names = parts.dropFirst()
        let isPlain = names.allSatisfy { !$0.isEmpty && ValueType<String>.name(upTo: 128).parse(String($0)) != nil }
        return parts.count == 3 && parts[0].isEmpty && isPlain ? text : nil
    }

    /// An address to listen on.
    static let listenAddress = Self(allowed: "an IPv4 or IPv6 address, or localhost") { text in
        if text.lowercased() == "localhost" { return "127.0.0.1" }
        return IPAddress(text) == nil ? nil : text
    }

    static let readableFile = Self(allowed: "the path of a readable file") { isReadable($0, kind: S_IFREG) ? $0 : nil }

    static let readableDirectory = Self(allowed: "the path of a readable directory") {
        isReadable($0, kind: S_IFDIR) ? $0 : nil
    }

    /// A directory for files: one that is writable, or a path at which one can be made.
    static let writableDirectory = Self(allowed: "the path of a directory that is writable or can be made") { text in
        var status = stat()
        guard stat(text, &status) == 0 else { return text }
        return status.st_mode & S_IFMT == S_IFDIR && access(text, W_OK | X_OK) == 0 ? text : nil
    }

    private static func isReadable(_ path: String, kind: mode_t) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == kind && access(path, R_OK) == 0
    }
}

extension ValueType<Secret> {
    static let secret = Self(allowed: "a text, which is never shown") { Secret($0) }

    /// The key of other services, long enough that guessing it at the permitted rate is hopeless.
    static let serviceKey = Self(allowed: "a text of at least \(ServiceKey.minimumBytes) bytes, which is never shown") {
        $0.utf8.count >= ServiceKey.minimumBytes ? Secret($0) : nil
    }

    /// The driver checks the format, which allows many hosts.
    static let mongoURI = Self(
        allowed: "mongodb://[user:password@]host,… or mongodb+srv://…, \(ServerURL.encoding)"
    ) { text in
        let schemes = ["mongodb://", "mongodb+srv://"]
        guard let scheme = schemes.first(where: { text.hasPrefix($0) }),
            // The driver may end the credentials at another @ than the mask does.
            text.count(where: { $0 == "@" }) <= 1, ServerURL.hidesCredentials(text.dropFirst(scheme.count)),
            MongoStore.canRead(uri: text)
        else { return nil }
        return Secret(text)
    }
}

extension ValueType<InstanceID> {
    static let instanceID = Self(allowed: "1 to 16 letters, digits, - or _") { text in
        guard ValueType<String>.name(upTo: 16).parse(text) != nil, !text.contains(".") else { return nil }
        return InstanceID(text)
    }
}

extension ValueType<DeploymentID> {
    static let deploymentID = Self(
        allowed: "1 to \(DeploymentID.maximumLength) letters, digits, dots, - or _"
    ) { DeploymentID($0) }
}

extension ValueType<RedisDeployment> {
    static let redisURL = Self(
        allowed:
            "redis://[user:password@]host[:port][/database], redis+sentinel://[user:password@]sentinel[:port],…/primary[/database], redis+cluster://[user:password@]node[:port],…, with rediss for redis over TLS, \(ServerURL.encoding)"
    ) {
        RedisDeployment(url: $0)
    }
}

extension ValueType<[ServerURL]> {
    /// One address for each host, in their order.
    static let amqpURLs = Self(
        allowed: "amqp://[user:password@]host[:port],…[/vhost], amqps:// with TLS, \(ServerURL.encoding)"
    ) { text in
        guard let urls = ServerURL.forEachHost(text), urls.allSatisfy({ ["amqp", "amqps"].contains($0.scheme) }) else {
            return nil
        }
        return urls
    }
}

extension ValueType<OriginPolicy> {
    static let origins = Self(allowed: "* or origins (https://host[:port], capacitor://localhost) with commas between")
    {
        OriginPolicy(parsing: $0)
    }
}

extension ValueType<TrustedProxies> {
    static let networks = Self(allowed: "IP addresses or CIDR ranges with commas between") { text in
        let parts = text.split(separator: ",").map { $0.trimmingBlanks() }
        let networks = parts.compactMap { CIDR($0) }
        return networks.count == parts.count && !parts.isEmpty ? TrustedProxies(networks: networks) : nil
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    func trimmingBlanks() -> String {
        let start = drop { $0 == " " || $0 == "\t" }
        let blanks = start.reversed().prefix { $0 == " " || $0 == "\t" }.count
        return String(start.dropLast(blanks))
    }
}
