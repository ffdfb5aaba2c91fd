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

    func report(_ options: BenchOptions) -> BenchReport {
        var report = BenchReport()
        report.add("transport", options.transport.rawValue)
        report.add("clients", options.clients)
        report.add("rooms", options.rooms)
        report.add("sent", sent)
        report.add("owed", owed)
        report.add("delivered", delivered)
        report.add("missing", missing)
        report.add("repeated", repeated)
        report.add("outOfOrder", outOfOrder)
        report.add("refused", refused)
        report.add(latencies: latencies + farLatencies)
        if !farLatencies.isEmpty {
            report.add(latencies: latencies, of: "near")
            report.add(latencies: farLatencies, of: "far")
        }
        return report
    }
}
