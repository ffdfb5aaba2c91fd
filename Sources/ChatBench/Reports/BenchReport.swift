import JSON

/// The figures of one run by name, in order, for programs and for people.
public struct BenchReport: Sendable {
    enum Value: Sendable, Equatable {
        case text(String)
        case count(Int)
        case amount(Double)
    }

    private(set) var rows: [(name: String, value: Value)] = []

    mutating func add(_ name: String, _ text: String) { rows.append((name, .text(text))) }
    mutating func add(_ name: String, _ count: Int) { rows.append((name, .count(count))) }
    mutating func add(_ name: String, _ amount: Double) { rows.append((name, .amount(amount))) }

    /// Adds percentiles as `p50ms`, `p99ms` and `maxMs`; 0 when there is no latency.
    ///
    /// - Parameters:
    ///   - latencies: in microseconds.
    ///   - prefix: stands before each name, with a dot between.
    mutating func add(latencies: [Int64], of prefix: String = "") {
        let sorted = latencies.sorted()
        for (name, share) in [("p50ms", 0.5), ("p99ms", 0.99), ("maxMs", 1.0)] {
            let index = min(sorted.count - 1, Int(share * Double(sorted.count)))
            add(prefix.isEmpty ? name : "\(prefix).\(name)", sorted.isEmpty ? 0 : Double(sorted[index]) / 1000)
        }
    }

    mutating func add(_ other: Self) { rows += other.rows }

    /// One JSON object on one line.
    public var json: String {
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
        return String(decoding: out.bytes, as: UTF8.self)
    }

    /// One line for each figure, names and values in columns.
    public var table: String {
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
