import Foundation
import Telemetry
import TestSupport
import Testing

@testable import ChatService

/// A datagram socket as a service manager has it.
private struct NotifySocket: ~Copyable {
    private let descriptor: Int32

    /// - Parameter address: the value of `NOTIFY_SOCKET`.
    init(_ address: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(address.utf8)
        if address.hasPrefix("@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let bound = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        try #require(bound == 0)
    }

    deinit { close(descriptor) }

    /// The next datagram; nil when none waits.
    func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}

private func manager(_ environment: [String: String], sink: CollectingSink = CollectingSink()) -> ServiceManager {
    ServiceManager(
        environment: environment, processID: 77, logger: Logger(level: .debug, format: .json, sink: sink))
}

@Suite struct ServiceManagerTests {
    @Test func statesReachASocketWithAPath() throws {
        let address = FileManager.default.temporaryDirectory.path + "/notify-\(UUID())"
        defer { unlink(address) }
        let socket = try NotifySocket(address)
        let manager = manager(["NOTIFY_SOCKET": address])
        for state: ServiceManager.State in [.ready, .reloading(microseconds: 12_345), .stopping, .alive] {
            manager.notify(state)
        }
        #expect(socket.next() == "READY=1")
        #expect(socket.next() == "RELOADING=1\nMONOTONIC_USEC=12345")
        #expect(socket.next() == "STOPPING=1")
        #expect(socket.next() == "WATCHDOG=1")
        #expect(socket.next() == nil)
    }

    @Test func statesReachAnAbstractSocket() throws {
        let address = "@chat-service-test-\(UUID())"
        let socket = try NotifySocket(address)
        manager(["NOTIFY_SOCKET": address]).notify(.ready)
        #expect(socket.next() == "READY=1")
    }

    @Test func withoutAServiceManagerNothingIsSent() async {
        let sink = CollectingSink()
        let manager = manager(["NOTIFY_SOCKET": "", "WATCHDOG_USEC": "1000"], sink: sink)
        #expect(manager.address == nil && manager.aliveInterval == nil)
        manager.notify(.ready)
        await manager.reportAlive { Issue.record("there is no watchdog") }
        #expect(sink.lines.isEmpty)
    }

    @Test(arguments: [
        ("vsock:2:1234", "neither a path nor an abstract socket"), ("/nowhere/at/all", "No such file or directory"),
        ("/" + String(repeating: "x", count: 200), "too long"), ("@", "Connection refused"),
    ])
    func aSocketThatCannotBeUsedIsLogged(_ address: String, _ reason: String) {
        let sink = CollectingSink()
        manager(["NOTIFY_SOCKET": address], sink: sink).notify(.ready)
        #expect(sink.lines.count == 1 && sink.lines.first?.contains(reason) == true, "\(sink.lines)")
    }

    @Test(arguments: [
        (["WATCHDOG_USEC": "30000000"], Duration.seconds(15)),
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "77"], .seconds(15)),
        (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "78"], nil),
        (["WATCHDOG_USEC": "1"], .microseconds(1)),
        (["WATCHDOG_USEC": "9223372036854775807"], .microseconds(Int64.max / 2)),
        (["WATCHDOG_USEC": "18446744073709551615"], nil), (["WATCHDOG_USEC": "0"], nil),
        (["WATCHDOG_USEC": "-5"], nil), (["WATCHDOG_USEC": "soon"], nil), ([:], nil),
    ])
    func theIntervalIsHalfOfThePeriod(_ environment: [String: String], _ interval: Duration?) {
        #expect(manager(environment.merging(["NOTIFY_SOCKET": "@x"]) { $1 }).aliveInterval == interval)
    }

    @Test func aPartThatDoesNotRespondIsNotReportedAlive() async throws {
        let address = "@chat-service-test-\(UUID())"
        let socket = try NotifySocket(address)
        let manager = manager(["NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000"])
        let (asked, ask) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        let reporting = Task {
            await manager.reportAlive {
                ask.yield()
                var iterator = gate.makeAsyncIterator()
                _ = await iterator.next()
            }
        }
        var questions = asked.makeAsyncIterator()
        _ = await questions.next()
        #expect(socket.next() == nil)
        open.yield()
        // It is asked again only after the report.
        _ = await questions.next()
        #expect(socket.next() == "WATCHDOG=1")
        #expect(socket.next() == nil)
        reporting.cancel()
        open.finish()
        await reporting.value
    }
}
