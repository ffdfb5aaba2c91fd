import ChatDomain
import JSON
import Testing

@testable import ChatService
@testable import PersistenceSQLite

@Suite struct DoctorTests {
    @Test func everyFindingThatIsNotWellSaysWhatToDo() {
        let findings = [
            ConfigurationChecks.expiry(at: 1000, now: 2000), ConfigurationChecks.expiry(at: nil, now: 0),
            ConfigurationChecks.expiry(at: 86_400, now: 0), HostChecks.backlog(128),
            HostChecks.descriptors(1024, maximumConnections: nil),
            HostChecks.descriptors(1024, maximumConnections: 1000),
            HostChecks.space("/", freeBytes: 1 << 20, freeFiles: .max),
            HostChecks.space("/", freeBytes: .max, freeFiles: 3), RedisChecks.rights(refused: [("ZADD", "NOPERM")]),
            RedisChecks.rights(refused: [("SET", "OOM")]),
            RedisChecks.memory(info: "maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n"),
        ]
        for finding in findings { #expect(finding.level > .ok && finding.advice != nil, "\(finding.text)") }
    }

    @Test func certificatesAreJudgedByTheTimeLeft() {
        #expect(ConfigurationChecks.expiry(at: 1000, now: 1000).level == .error)
        #expect(ConfigurationChecks.expiry(at: 14 * 86_400 - 1, now: 0).level == .warning)
        #expect(ConfigurationChecks.expiry(at: 14 * 86_400, now: 0).level == .ok)
        #expect(ConfigurationChecks.expiry(at: .max, now: 0).level == .ok)
    }

    @Test func theDataDirectoryIsLookedAtWhereItIsUsed() throws {
        func looks(_ environment: [String: String]) throws -> Bool {
            let elsewhere = environment.merging(["DATA_DIR": "/nowhere/data"]) { first, _ in first }
            return HostChecks.findings(try load(elsewhere).configuration).contains { $0.text.contains("/nowhere/data") }
        }
        #expect(try looks([:]))
        #expect(try !looks(["MONGODB_URI": "mongodb://db"]))
        #expect(try looks(["MONGODB_URI": "mongodb://db", "FILES_STORE": "disk"]))
        #expect(try !looks(["MONGODB_URI": "mongodb://db", "FILES_STORE": "disk", "MAX_FILE_BYTES": "0"]))
    }

    @Test func descriptorsHaveToCoverTheConnections() {
        #expect(HostChecks.descriptors(131_072, maximumConnections: nil).level == .ok)
        #expect(HostChecks.descriptors(1200, maximumConnections: 1000).level == .ok)
        #expect(HostChecks.descriptors(1100, maximumConnections: 1000).level == .error)
    }

    @Test(arguments: [
        ("/data/chat", true), ("/data", true), ("/database", false), ("/data/local/x", false), ("/", false),
    ])
    func theNearestMountDecides(path: String, isOnNetwork: Bool) {
        let mounts = "/dev/sda / ext4 rw 0 0\nsrv:/x /data nfs4 rw 0 0\n/dev/sdb /data/local xfs rw 0 0\nbroken\n"
        #expect(HostChecks.isOnNetwork(path, mounts: mounts) == isOnNetwork)
    }

    @Test(arguments: [
        ("maxmemory:0\r\nused_memory:5\r\nmaxmemory_policy:noeviction", Finding.Level.ok),
        ("maxmemory:0\nmaxmemory_policy:allkeys-lru", .note), ("maxmemory:100\nmaxmemory_policy:volatile-lru", .error),
        ("maxmemory:100\nused_memory:90\nmaxmemory_policy:noeviction", .warning),
        ("maxmemory:x\nused_memory:-9223372036854775808\nmaxmemory_policy:noeviction", .ok), ("", .note),
    ])
    func redisMustNotEvict(info: String, level: Finding.Level) {
        #expect(RedisChecks.memory(info: info).level == level)
    }

    @Test func clocksMayDifferByTheTimeOfTheQuestion() {
        func level(_ time: Int64) -> Finding.Level {
            ClockCheck.finding(
                "clock", "x", says: Timestamp(milliseconds: time), between: Timestamp(milliseconds: 10_000),
                Timestamp(milliseconds: 20_000)
            ).level
        }
        #expect(level(8000) == .ok && level(15_000) == .ok && level(22_000) == .ok)
        #expect(level(7999) == .error && level(22_001) == .error)
        #expect(level(Timestamp(milliseconds: .max).milliseconds) == .error)
    }

    @Test func aRunningServiceSaysWhatIsDown() throws {
        let answer =
            #"{"ready":true,"dependencies":{"redis":{"state":"degraded","lastError":"full"},"store":{"state":"up"}}}"#
        let findings = ServerChecks.findings(try JSONValue(parsing: answer.utf8), port: 1)
        #expect(findings.map(\.level) == [.warning] && findings[0].text.contains("redis as degraded: full"))
        let draining = try JSONValue(parsing: #"{"ready":false,"dependencies":{}}"#.utf8)
        #expect(ServerChecks.findings(draining, port: 1).map(\.level) == [.warning])
        #expect(ServerChecks.findings(nil, port: 1).map(\.level) == [.error])
    }

    @Test func theReportCountsAndKeepsToOneLineEach() throws {
        var report = DoctorReport()
        report.add([.ok("a", "fine"), .error("bb", "bad\u{1B}[2J\nworse", do: "mend it")])
        #expect(
            report.text == "ok       a   fine\nerror    bb  bad [2J worse\n             → mend it\n1 errors, 0 warnings"
        )
        let json = try JSONValue(parsing: report.json.utf8)
        #expect(json["healthy"]?.bool == false && json["errors"]?.integer == 1)
        #expect(json["findings"]?[1]?["advice"]?.string == "mend it")
    }
}

@Suite struct MigrationPlanTests {
    @Test func aPlanOfAnOlderStoreListsItsChanges() throws {
        let plan = MigrationPlan(SchemaPlan(version: 5, newest: 6, changes: ["make table expiry"], isInUse: true))
        #expect(
            plan.text.hasPrefix(
                "the embedded store has version 5, this program makes version 6\nwould make table expiry\nnote: "))
        let json = try JSONValue(parsing: plan.json.utf8)
        #expect(
            json["dryRun"]?.bool == true && json["version"]?.integer == 5
                && json["changes"]?[0]?.string == "make table expiry")
    }

    @Test func nothingToChangeIsSaid() {
        let plan = MigrationPlan(SchemaPlan(version: 6, newest: 6, changes: [], isInUse: false))
        #expect(plan.text.hasSuffix("\nnothing would change"))
    }
}
