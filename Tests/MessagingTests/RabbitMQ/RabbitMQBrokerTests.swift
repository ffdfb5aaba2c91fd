import ChatDomain
import MessagingRabbitMQ
import RedisTestSupport
import Telemetry
import TestSupport
import Testing

/// Addresses where no broker answers.
@Suite struct RabbitMQBrokerTests {
    private func failures(of endpoint: RabbitMQEndpoint, _ count: Int) async throws -> [BrokerError] {
        let journal = CallbackLog<BrokerError>()
        let broker = try RabbitMQBroker(
            [endpoint], queue: RabbitMQQueue(name: "q"), backoffLimit: .milliseconds(50),
            clock: { Moment(milliseconds: WallClock.monotonicMilliseconds()) })
        broker.start { if case .disconnected(let error) = $0 { journal.add(error) } }
        #expect(await eventually { journal.entries.count >= count })
        await broker.stop()
        return journal.entries
    }

    @Test func aPortThatRefusesConnections() async throws {
        let port = try RefusingPort()
        let endpoint = RabbitMQEndpoint(
            host: "127.0.0.1", port: port.number, user: "chat", password: "hunter2")
        let errors = try await failures(of: endpoint, 3)
        withExtendedLifetime(port) {}
        for error in errors {
            guard case .unreachable(let reason) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(reason.contains("127.0.0.1") && !reason.contains("hunter2"))
        }
    }

    @Test func anUnknownHost() async throws {
        let errors = try await failures(of: RabbitMQEndpoint(host: "no-such-host.invalid"), 1)
        guard case .unreachable? = errors.first else {
            Issue.record("\(errors)")
            return
        }
    }

    @Test func aServerOfAnotherProtocol() async throws {
        let peer = try ScriptedPeer { _, _ in [Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)] }
        let endpoint = RabbitMQEndpoint(host: "127.0.0.1", port: peer.port, timeout: .milliseconds(300))
        let errors = try await failures(of: endpoint, 2)
        for error in errors {
            guard case .disconnected = error else {
                Issue.record("\(error)")
                continue
            }
        }
    }

    @Test func aServerThatDoesNotAnswerIsLeft() async throws {
        let peer = try ScriptedPeer { _, _ in [] }
        let endpoint = RabbitMQEndpoint(host: "127.0.0.1", port: peer.port, timeout: .milliseconds(200))
        #expect(try await failures(of: endpoint, 2).count >= 2)
    }

    @Test func aFileWithoutCertificates() async throws {
        let certificates = try Certificates()
        let endpoint = RabbitMQEndpoint(
            host: "127.0.0.1", port: try FreePort.take(), tls: .init(authorityFile: certificates.key))
        guard case .insecure? = try await failures(of: endpoint, 1).first else {
            Issue.record("a key was taken for certificates")
            return
        }
    }
}
