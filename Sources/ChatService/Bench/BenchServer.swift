import EventLoop

/// A server that a bench drives.
struct BenchServer: Equatable, Sendable {
    var host = "127.0.0.1"
    var port: UInt16 = 5004

    init() {}

    init(url text: String) throws(UsageError) {
        guard let url = ServerURL(text), url.scheme == "http" || url.scheme == "ws" else {
            throw UsageError(description: "--url must be http://ADDRESS:PORT")
        }
        host = url.host == "localhost" ? "127.0.0.1" : url.host
        port = UInt16(clamping: url.port ?? 80)
    }

    var address: IPAddress {
        get throws(UsageError) {
            guard let address = IPAddress(host) else {
                throw UsageError(description: "--url must name an IP address")
            }
            return address
        }
    }

    /// A number among a bench's arguments.
    static func number(_ text: String, _ range: ClosedRange<Int>, for name: String) throws(UsageError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            throw UsageError(description: "\(name) must be \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }
}
