/// The Prometheus text exposition format.
enum PrometheusText {
    /// The `Content-Type` of ``render(_:)``.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func render(_ families: [MetricsRegistry.Family]) -> [UInt8] {
        var out = LineBuffer()
        for family in families where !family.series.isEmpty {
            out.append("# HELP \(family.name) \(escape(family.help, quotes: false))\n")
            out.append("# TYPE \(family.name) \(family.kind.rawValue)\n")
            for series in family.series { append(series, of: family.name, to: &out) }
        }
        return out.bytes
    }

    static func labels(_ labels: KeyValuePairs<String, String>) -> String {
        labels.map { "\($0.key)=\"\(escape($0.value, quotes: true))\"" }.joined(separator: ",")
    }

    /// Letters, digits and underscores, not starting with a digit; colons are left to recording rules.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || $0 == 0x5F
        }
    }

    private static func append(_ series: MetricsRegistry.Series, of name: String, to out: inout LineBuffer) {
        switch series.source {
        case .counter(let counter): out.append(sample(name, series.labels, "\(counter.value)"))
        case .gauge(let gauge): out.append(sample(name, series.labels, "\(gauge.value)"))
        case .callback(let read):
            let value = read()
            if !value.isNaN { out.append(sample(name, series.labels, number(value))) }
        case .histogram(let histogram): append(histogram, name, series.labels, to: &out)
        }
    }

    private static func append(
        _ histogram: Histogram, _ name: String, _ labels: String, to out: inout LineBuffer
    ) {
        let (cumulative, sum) = histogram.snapshot
        let divisor = histogram.unit.divisor
        let shown = histogram.bounds.map { number(Double($0) / divisor) } + ["+Inf"]
        let prefix = labels.isEmpty ? "" : labels + ","
        for (bound, count) in zip(shown, cumulative) {
            out.append(sample("\(name)_bucket", "\(prefix)le=\"\(bound)\"", "\(count)"))
        }
        out.append(sample("\(name)_sum", labels, number(Double(sum) / divisor)))
        out.append(sample("\(name)_count", labels, "\(cumulative.last ?? 0)"))
    }

    private static func sample(_ name: String, _ labels: String, _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(character)
            }
        }
        return out
    }
}

extension MetricsRegistry {
    /// The `Content-Type` of ``render()``.
    public static let contentType = PrometheusText.contentType
}
