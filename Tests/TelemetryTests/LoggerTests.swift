import Telemetry
import TestSupport
import Testing

/// 2026-01-02T03:04:05.678Z
let sometime: Int64 = 1_767_323_045_678

@Suite struct LoggerTests {
    private let sink = CollectingSink()

    private func logger(_ level: LogLevel = .debug, _ format: LogFormat = .json) -> Logger {
        Logger(level: level, format: format, sink: sink, clock: { sometime })
    }

    @Test func jsonLineHasTimeLevelMessageAndTypedFields() {
        let user: String? = nil
        logger().info(
            "closed", ["connection": "c1", "code": 4408, "ratio": 0.5, "clean": true, "user": user, "nan": Double.nan])
        #expect(
            sink.lines == [
                #"{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"closed","connection":"c1","code":4408,"#
                    + #""ratio":0.5,"clean":true,"nan":"nan"}"# + "\n"
            ])
    }

    @Test func prettyLineQuotesOnlyValuesThatNeedIt() {
        logger(.debug, .pretty(colours: false)).notice("now serving", ["port": 5004, "host": "a b", "empty": ""])
        #expect(sink.lines == ["2026-01-02T03:04:05.678Z notice  now serving port=5004 host=\"a b\" empty=\"\"\n"])
    }

    @Test func coloursSurroundOnlyTheLevel() {
        logger(.debug, .pretty(colours: true)).error("x")
        #expect(sink.lines == ["2026-01-02T03:04:05.678Z \u{1B}[31merror\u{1B}[0m   x\n"])
    }

    @Test func aLevelThatIsSetHoldsForEveryCopy() {
        let parent = logger(.error)
        let child = parent.with(["part": "a"])
        child.info("dropped")
        parent.level = .info
        #expect(child.level == .info)
        child.info("written")
        #expect(sink.lines.count == 1)
    }

    @Test func disabledLevelsAreNotEvaluated() {
        var evaluated = 0
        func expensive() -> String {
            evaluated += 1
            return "x"
        }
        let quiet = logger(.warning)
        quiet.debug(expensive(), ["field": expensive()])
        quiet.info(expensive())
        quiet.notice(expensive())
        #expect(evaluated == 0)
        quiet.warning(expensive())
        #expect(evaluated == 1 && sink.lines.count == 1)
    }

    @Test func childrenCarryTheirFieldsAndLeaveTheParentAlone() {
        let parent = logger()
        let child = parent.with(["connection": 7]).with(["user": "u"])
        child.info("a", ["code": 1])
        parent.info("b")
        #expect(sink.lines[0].hasSuffix(#""message":"a","connection":7,"user":"u","code":1}"# + "\n"))
        #expect(sink.lines[1].hasSuffix(#""message":"b"}"# + "\n"))
    }

    @Test(arguments: [LogFormat.json, .pretty(colours: false)])
    func nothingFromOutsideCanEndALineOrMoveTheCursor(format: LogFormat) {
        let hostile = "a\nb\r\u{1B}[2J\u{0}\u{85}\u{2028}\u{202E}\u{7F}é\\"
        logger(.debug, format).info(hostile, ["f": hostile])
        let line = sink.lines[0]
        #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        #expect(!line.unicodeScalars.contains { [0x85, 0x2028, 0x202E].contains($0.value) })
        #expect(line.contains(#"a\nb\r\u001b[2J\u0000\u0085\u2028\u202e\u007fé\\"#))
    }

    @Test func secretsInMessagesAndFieldsAreMasked() {
        logger().info("GET /ws?token=abc", ["header": "Bearer abc"])
        #expect(sink.lines[0].contains(#""message":"GET /ws?token=[redacted]","header":"Bearer [redacted]""#))
    }

    @Test func aTextTooLongIsCut() {
        logger().info(String(repeating: "é", count: 100_000))
        #expect(sink.lines[0].utf8.count < 4300)
        #expect(sink.lines[0].contains("…"))
    }

    @Test func levelsHaveNames() {
        #expect(LogLevel.allCases.map(\.name).compactMap(LogLevel.init(name:)) == LogLevel.allCases)
        #expect(LogLevel(name: "loud") == nil)
    }
}
