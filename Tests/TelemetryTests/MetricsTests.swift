import Synchronization
import Telemetry
import Testing

@Suite struct MetricsTests {
    private let registry = MetricsRegistry()

    private var text: String { String(decoding: registry.render(), as: UTF8.self) }

    @Test func familiesHaveOneHeadAndAllTheirSeries() {
        let raw = registry.counter("chat_messages_total", help: "Messages.", labels: ["framing": "event"])
        registry.gauge("chat_rooms", help: "Rooms \\ held\nhere.").set(-3)
        let socketIO = registry.counter("chat_messages_total", help: "Messages.", labels: ["framing": "a\"b\\c\nd"])
        raw.add(2)
        raw.add(-5)
        socketIO.add()
        #expect(
            text == """
                # HELP chat_messages_total Messages.
                # TYPE chat_messages_total counter
                chat_messages_total{framing="event"} 2
                chat_messages_total{framing="a\\"b\\\\c\\nd"} 1
                # HELP chat_rooms Rooms \\\\ held\\nhere.
                # TYPE chat_rooms gauge
                chat_rooms -3

                """)
    }

    @Test func histogramsAreCumulativeAndInBaseUnits() {
        let latency = registry.histogram(
            "chat_commit_seconds", help: "Commit.", unit: .microseconds, bounds: [250, 1_000_000], labels: ["to": "x"])
        for value in [100, 250, 251, 2_000_000, -7] { latency.observe(value) }
        #expect(
            text == """
                # HELP chat_commit_seconds Commit.
                # TYPE chat_commit_seconds histogram
                chat_commit_seconds_bucket{to="x",le="0.00025"} 3
                chat_commit_seconds_bucket{to="x",le="1"} 4
                chat_commit_seconds_bucket{to="x",le="+Inf"} 5
                chat_commit_seconds_sum{to="x"} 2.000601
                chat_commit_seconds_count{to="x"} 5

                """)
    }

    @Test func plainHistogramsAreShownAsObserved() {
        registry.histogram("chat_batch_messages", help: "Batch.", unit: .plain, bounds: [1, 8]).observe(5)
        #expect(text.contains("chat_batch_messages_bucket{le=\"8\"} 1\n"))
        #expect(text.contains("chat_batch_messages_sum 5\n"))
    }

    @Test func theSameNameAndLabelsAreTheSameInstrument() {
        let first = registry.counter("a_total", help: "A.", labels: ["k": "v"])
        let second = registry.counter("a_total", help: "A.", labels: ["k": "v"])
        #expect(first === second)
        #expect(registry.counter("a_total", help: "A.", labels: ["k": "w"]) !== first)
    }

    @Test func valuesAreReadByName() {
        let registry = MetricsRegistry()
        registry.counter("a_total", help: "").add(3)
        registry.gauge("b", help: "").set(-2)
        registry.gauge("c", help: "") { 1.5 }
        for label in ["y", "z"] { registry.counter("d_total", help: "", labels: ["x": label]).add() }
        let histogram = registry.histogram("e", help: "", unit: .plain, bounds: [1, 5])
        for value in [1, 2, 9, 9] { histogram.observe(value) }
        #expect(registry.value("a_total") == 3 && registry.value("b") == -2 && registry.value("c") == 1.5)
        #expect(registry.value("d_total") == 2 && registry.value("e") == nil && registry.value("f") == nil)
        #expect(histogram.distribution.counts == [1, 1, 2] && histogram.distribution.sum == 21)
    }

    @Test func callbacksAreReadWhenRendered() {
        let level = Mutex(1)
        // Registering from within a callback does not deadlock either.
        registry.gauge("g", help: "G.") { [registry] in
            registry.gauge("late", help: "Late.").set(1)
            return Double(level.withLock { $0 }) / 2
        }
        registry.gauge("unknown", help: "U.") { .nan }
        registry.counter("c_total", help: "C.") { .infinity }
        level.withLock { $0 = 3 }
        let text = String(decoding: registry.render(), as: UTF8.self)
        #expect(text.contains("\ng 1.5\n"))
        #expect(!text.contains("\nunknown "))
        #expect(text.contains("\nc_total +Inf\n"))
    }

    @Test func updatesFromManyThreadsAreAllCounted() async {
        let counter = registry.counter("n_total", help: "N.")
        let gauge = registry.gauge("level", help: "L.")
        let histogram = registry.histogram("h", help: "H.", unit: .plain, bounds: [1])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1000 {
                        counter.add()
                        gauge.add(2)
                        gauge.subtract()
                        histogram.observe(1)
                    }
                }
            }
        }
        #expect(counter.value == 8000 && gauge.value == 8000)
        #expect(text.contains("h_bucket{le=\"1\"} 8000\n") && text.contains("h_sum 8000\n"))
    }

    @Test func theProcessDescribesItself() throws {
        ProcessMetrics.register(in: registry)
        func value(_ name: String) throws -> Double {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
            return try #require(Double(line.dropFirst(name.count + 1)))
        }
        #expect(try value("process_cpu_seconds_total") > 0)
        #expect(try value("process_max_fds") >= 64)
        #if os(Linux)
            #expect(try value("process_resident_memory_bytes") > 1_000_000)
            #expect(try value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"))
            #expect(try value("process_open_fds") >= 3)
            #expect(try value("process_threads") >= 1)
            let age = Double(WallClock.milliseconds()) / 1000 - (try value("process_start_time_seconds"))
            #expect(age > -2 && age < 3600)
        #endif
    }
}
