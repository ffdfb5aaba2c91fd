/// Finds names that are probably misspelt variables of this service. The service ignores such a variable without an error.
enum Misspelling {
    /// Variables of other programs that resemble a variable of this service and are commonly set.
    private static let foreign: Set = ["SSL_CERT_FILE"]

    /// The known name that `name` was probably meant to be.
    ///
    /// - Parameter deliberate: whether the name was written for this service, as a line of its `.env` is. Short names are then
    ///   compared too; in the environment `PATH` is no misspelt `PORT`.
    static func suggestion(for name: String, among known: [String], deliberate: Bool) -> String? {
        let upper = name.uppercased()
        if foreign.contains(upper) { return nil }
        // JWT_PUBLIC_KEY for JWT_PUBLIC_KEY_FILE.
        if upper.contains("_"), let whole = known.first(where: { $0.hasPrefix(upper + "_") }) { return whole }
        let candidates = known.compactMap { candidate -> (name: String, distance: Int)? in
            let tolerated = tolerance(candidate, deliberate: deliberate)
            let distance = distance(upper, candidate, atMost: tolerated)
            return distance.map { (candidate, $0) }
        }
        return candidates.min { $0.distance < $1.distance }?.name
    }

    private static func tolerance(_ candidate: String, deliberate: Bool) -> Int {
        switch candidate.utf8.count {
        case ..<6: deliberate ? 1 : 0
        case ..<9: 1
        default: 2
        }
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other; nil past the limit.
    static func distance(_ a: String, _ b: String, atMost limit: Int) -> Int? {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard abs(a.count - b.count) <= limit else { return nil }
        var rows = [Array(0...b.count)]
        for i in 1...max(1, a.count) where !a.isEmpty {
            var row = [i]
            for j in 1...max(1, b.count) where !b.isEmpty {
                let substitution = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                var best = min(substitution, rows[i - 1][j] + 1, row[j - 1] + 1)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { best = min(best, rows[i - 2][j - 2] + 1) }
                row.append(best)
            }
            rows.append(row)
        }
        guard let distance = rows.last?.last, distance <= limit else { return nil }
        return distance
    }
}
