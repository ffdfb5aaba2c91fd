/// Counts the copies that members are owed and those they received, and keeps their latencies. A value: the time is given.
struct MessageTally {
    private(set) var sent = 0
    private(set) var owed = 0
    private(set) var delivered = 0
    private(set) var repeated = 0
    private(set) var outOfOrder = 0
    private(set) var refused = 0
    /// In microseconds; of deliveries on the sender's instance.
    private var nearLatencies: [Int64] = []
    /// In microseconds; of deliveries on other instances than the sender's.
    private var farLatencies: [Int64] = []

    mutating func didSend(toMembers members: Int) {
        sent += 1
        owed += members
    }

    mutating func receivedRefusal() { refused += 1 }

    /// - Parameters:
    ///   - last: the highest sequence number that the client received before in its room.
    ///   - latency: from sending to receiving, in microseconds.
    ///   - isFar: whether the sender is on another instance.
    mutating func receivedMessage(_ sequence: Int64, after last: Int64, latency: Int64, isFar: Bool) {
        guard sequence > last else {
            repeated += 1
            return
        }
        if sequence != last + 1 { outOfOrder += 1 }
        delivered += 1
        if isFar { farLatencies.append(latency) } else { nearLatencies.append(latency) }
    }

    var missing: Int { max(0, owed - delivered) }
    var isClean: Bool { missing == 0 && repeated == 0 && outOfOrder == 0 && refused == 0 }

    func report(_ options: MessageBenchOptions) -> BenchReport {
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
        report.add(latencies: nearLatencies + farLatencies)
        if !farLatencies.isEmpty {
            report.add(latencies: nearLatencies, of: "near")
            report.add(latencies: farLatencies, of: "far")
        }
        return report
    }
}
