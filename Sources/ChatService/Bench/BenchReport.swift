import JSON

/// What a bench found, for programs and for people.
struct BenchReport: Sendable {
    enum Value: Sendable, Equatable {
        case text(String)
        case count(Int)
        case amount(Double)
    }

    private(set) var rows: [(name: String, value: Value)] = []

    mutating func add(_ name: String, _ text: String) { rows.append((name, .text(text))) }
    mutating func add(_ name: String, _ count: Int) { rows.append((name, .count(count))) }
    mutating func add(_ name: String, _ amount: Double) { rows.append((name, .amount(amount))) }

    /// Percentiles, as `p50ms`, `p99ms` and `maxMs`; 0 where nothing was measured.
    ///
    /// - Parameters:
    ///   - latencies: in microseconds.
    ///   - prefix: what the names begin with.
    mutating func add(latencies: [Int64], of prefix: String = "") {
        let sorted = latencies.sorted()
        for (name, share) in [("p50ms", 0.5), ("p99ms", 0.99), ("maxMs", 1.0)] {
            let at = min(sorted.count - 1, Int(share * Double(sorted.count)))
            add(prefix.isEmpty ? name : "\(prefix).\(name)", sorted.isEmpty ? 0 : Double(sorted[at]) / 1000)
        }
    }

    mutating func add(_ other: Self) { rows += other.rows }

    /// One JSON object on one line.
    var json: [UInt8] {
        var out = JSONWriter()
        out.object { out in
            for (name, value) in rows {
                out.key(escaping: name)
                switch value {
                case .text(let text): out.string(text)
                case .count(let count): out.integer(count)
                case .amount(let amount): out.number(amount)
                }
            }
        }
        return out.bytes
    }

    var table: String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { name, value in
            let text =
                switch value {
                case .text(let text): text
                case .count(let count): String(count)
                case .amount(let amount): String(amount)
                }
            return "  " + name + String(repeating: " ", count: width - name.count) + "  " + text
        }.joined(separator: "\n")
    }
}
