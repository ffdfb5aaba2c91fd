import Foundation
import Testing

@testable import ChatService

/// One answer to one connection, from a thread of its own.
private func answering(_ answer: String) throws -> Int {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            bind(listener, generic, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, generic, &size) == 0
        }
    }
    try #require(bound)
    Thread.detachNewThread {
        let peer = accept(listener, nil, nil)
        var request = [UInt8](repeating: 0, count: 1024)
        _ = recv(peer, &request, request.count, 0)
        _ = send(peer, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
        close(peer)
        close(listener)
    }
    return Int(UInt16(bigEndian: address.sin_port))
}

@Suite struct HealthcheckTests {
    private func check(port: Int, tls: Bool = false, isAliveWhenFull: Bool = false) throws(Healthcheck.Failure) {
        try Healthcheck.run(
            ServerAddress(host: "0.0.0.0", port: port, usesTLS: tls), isAliveWhenFull: isAliveWhenFull)
    }

    @Test func aFullServerIsAliveWhereThatIsAsked() throws {
        try check(port: answering("HTTP/1.1 503 Service Unavailable\r\n\r\n"), isAliveWhenFull: true)
        let port = try answering("HTTP/1.1 500 Internal Server Error\r\n\r\n")
        #expect(throws: Healthcheck.Failure.self) { try check(port: port, isAliveWhenFull: true) }
    }

    @Test func status200IsHealthy() throws {
        try check(port: answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    }

    @Test func anotherStatusIsUnhealthy() throws {
        let port = try answering("HTTP/1.1 503 Service Unavailable\r\n\r\n")
        #expect(throws: Healthcheck.Failure.unhealthy("HTTP/1.1 503 Service Unavailable")) { try check(port: port) }
    }

    @Test func aCloseWithoutAnAnswerIsUnhealthy() throws {
        let port = try answering("")
        #expect(throws: Healthcheck.Failure.unhealthy("nothing")) { try check(port: port) }
    }

    @Test func aPortWithoutAListenerIsUnreachable() throws {
        #expect(throws: Healthcheck.Failure.unreachable("Connection refused")) { try check(port: 1) }
    }

    @Test func aTLSAlertIsHealthy() throws {
        try check(port: answering("\u{15}\u{3}\u{1}"), tls: true)
    }

    @Test func listenersOnEveryAddressAreCheckedOnLoopback() {
        #expect(ServerAddress(host: "0.0.0.0", port: 1).url == "http://127.0.0.1:1")
        #expect(ServerAddress(host: "::", port: 1, usesTLS: true).url == "https://[::1]:1")
        #expect(ServerAddress(host: "10.0.0.1", port: 1).url == "http://10.0.0.1:1")
    }
}
