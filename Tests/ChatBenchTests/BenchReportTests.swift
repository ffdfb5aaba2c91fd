import Testing

@testable import ChatBench

@Suite("Tally and report of a message bench")
struct BenchReportTests {
    @Test("The report is one JSON object on one line, and a table")
    func report() {
        var report = BenchReport()
        report.add("transport", "web \"socket\"")
        report.add("sent", 3)
        report.add("half", 0.5)
        #expect(report.json == #"{"transport":"web \"socket\"","sent":3,"half":0.5}"#)
        #expect(report.table.split(separator: "\n").last == "  half       0.5")
    }

    @Test("Percentiles of no latency are 0; those of a hundred are the values at their places")
    func percentiles() {
        var report = BenchReport()
        report.add(latencies: [])
        report.add(latencies: (1...100).map { $0 * 1000 }.shuffled(), of: "far")
        let values = Dictionary(uniqueKeysWithValues: report.rows.map { ($0.name, $0.value) })
        #expect(values["p50ms"] == .amount(0))
        #expect(values["far.p50ms"] == .amount(51))
        #expect(values["far.p99ms"] == .amount(100))
        #expect(values["far.maxMs"] == .amount(100))
    }

    private func value(_ name: String, in tally: MessageTally) -> BenchReport.Value? {
        tally.report(MessageBenchOptions()).rows.first { $0.name == name }?.value
    }

    @Test("A tally counts missing, repeated and reordered copies, and refusals")
    func tally() {
        var tally = MessageTally()
        tally.didSend(toMembers: 4)
        #expect(tally.missing == 4 && !tally.isClean)
        tally.receivedMessage(1, after: 0, latency: 10, isFar: false)
        tally.receivedMessage(1, after: 1, latency: 10, isFar: false)
        tally.receivedMessage(3, after: 1, latency: 10, isFar: false)
        #expect((tally.delivered, tally.repeated, tally.outOfOrder, tally.missing) == (2, 1, 1, 2))
        tally.receivedRefusal()
        #expect(value("refused", in: tally) == .count(1))
        #expect(value("far.p50ms", in: tally) == nil)
    }

    @Test("A run without faults is clean; latencies are split by the sender's instance")
    func clean() {
        var tally = MessageTally()
        tally.didSend(toMembers: 2)
        tally.receivedMessage(8, after: 7, latency: 2000, isFar: false)
        tally.receivedMessage(8, after: 7, latency: 4000, isFar: true)
        #expect(tally.isClean)
        #expect(value("near.maxMs", in: tally) == .amount(2))
        #expect(value("far.maxMs", in: tally) == .amount(4))
        #expect(value("maxMs", in: tally) == .amount(4))
    }
}
