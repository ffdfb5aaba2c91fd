import ChatBench
import EventLoop

/// Pairs of an option's name and its value, in the order in which they were given.
struct BenchArguments {
    struct Option {
        let name: String
        let value: String

        func number(in range: ClosedRange<Int>) throws(UsageError) -> Int {
            try Self.number(value, in: range, for: name)
        }

        /// Numbers with commas between.
        func numbers(in range: ClosedRange<Int>) throws(UsageError) -> [Int] {
            var numbers: [Int] = []
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                numbers.append(try Self.number(String(part), in: range, for: name))
            }
            return numbers
        }

        func server() throws(UsageError) -> BenchServer {
            guard let url = ServerURL(value), url.scheme == "http" || url.scheme == "ws" else {
                throw UsageError(description: "\(name) must be http://ADDRESS:PORT")
            }
            let host = url.host == "localhost" ? "127.0.0.1" : url.host
            guard let address = IPAddress(host) else {
                throw UsageError(description: "\(name) must have an IP address as its host")
            }
            return BenchServer(host: host, address: address, port: UInt16(clamping: url.port ?? 80))
        }

        private static func number(
            _ text: String, in range: ClosedRange<Int>, for name: String
        ) throws(UsageError) -> Int {
            guard let value = Int(text), range.contains(value) else {
                throw UsageError(description: "\(name) must be \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
    }

    let options: [Option]

    init(_ arguments: some Collection<String>) throws(UsageError) {
        var rest = Array(arguments)[...]
        var options: [Option] = []
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw UsageError(description: "\(name) needs a value") }
            options.append(Option(name: name, value: value))
        }
        self.options = options
    }
}
