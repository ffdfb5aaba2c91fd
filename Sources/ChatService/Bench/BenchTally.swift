import JSON

/// What was owed, what came, and how late.
struct BenchTally {
    private(set) var sent = 0
    private(set) var owed = 0
    private(set) var delivered = 0
    private(set) var repeated = 0
    private(set) var outOfOrder = 0
    private(set) var refused = 0
    private var latencies: [Int64] = []
    /// Those of deliveries on other instances than the sender's.
    private var farLatencies: [Int64] = []

    mutating func noteSent(to members: Int) {
        sent += 1
        owed += members
    }

    mutating func noteRefused() { refused += 1 }

    /// - Parameters:
    ///   - last: the number the client had seen last in its room.
    ///   - microseconds: from sending to receiving.
    ///   - isFar: the sender is on another instance.
    mutating func noteDelivery(_ sequence: Int64, after last: Int64, microseconds: Int64, isFar: Bool) {
        if sequence <= last {
            repeated += 1
        } else {
            if sequence != last + 1 { outOfOrder += 1 }
            delivered += 1
            if isFar { farLatencies.append(microseconds) } else { latencies.append(microseconds) }
        }
    }

    var missing: Int { max(0, owed - delivered) }
    var isClean: Bool { missing == 0 && repeated == 0 && outOfOrder == 0 && refused == 0 }

    // MARK: Telling

    func report(_ options: BenchOptions) -> [UInt8] {
        var out = JSONWriter()
        out.object { out in
            out.key("transport")
            out.string(options.transport.rawValue)
            for (name, value) in counts(options) {
                out.key(escaping: name)
                out.integer(value)
            }
            for (name, value) in percentiles {
                out.key(escaping: name)
                out.number(value)
            }
        }
        return out.bytes
    }

    /// The same for people.
    func table(_ options: BenchOptions) -> String {
        let rows =
            [("transport", options.transport.rawValue)]
            + counts(options).map { ($0, String($1)) }
            + percentiles.map { ($0, String($1)) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { name, value in
            "  " + name + String(repeating: " ", count: width - name.count) + "  " + value
        }.joined(separator: "\n")
    }

    private func counts(_ options: BenchOptions) -> [(String, Int)] {
        [
            ("clients", options.clients), ("rooms", options.rooms), ("sent", sent), ("owed", owed),
            ("delivered", delivered), ("missing", missing), ("repeated", repeated), ("outOfOrder", outOfOrder),
            ("refused", refused),
        ]
    }

    /// Milliseconds from sending to receiving.
    private var percentiles: [(String, Double)] {
        guard !farLatencies.isEmpty else { return Self.percentiles(of: latencies, ["p50ms", "p99ms", "maxMs"]) }
        return Self.percentiles(of: latencies + farLatencies, ["p50ms", "p99ms", "maxMs"])
            + Self.percentiles(of: latencies, ["nearP50ms", "nearP99ms", "nearMaxMs"])
            + Self.percentiles(of: farLatencies, ["farP50ms", "farP99ms", "farMaxMs"])
    }

    private static func percentiles(of latencies: [Int64], _ names: [String]) -> [(String, Double)] {
        let sorted = latencies.sorted()
        return zip(names, [0.5, 0.99, 1.0]).map { name, share in
            guard !sorted.isEmpty else { return (name, 0) }
            return (name, Double(sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]) / 1000)
        }
    }
}
