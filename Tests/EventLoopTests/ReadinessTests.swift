import Synchronization
import TestSupport
import Testing

@testable import EventLoop

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Both ends of a connection within the process; tests give one of them to a loop.
private struct Pair {
    let (ours, theirs): (Int32, Int32)

    init() throws {
        var ends: [Int32] = [-1, -1]
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        (ours, theirs) = (ends[0], ends[1])
    }

    func send() { _ = write(theirs, "x", 1) }
}

/// Reports what it is told, and does what the test wants then.
private final class Watcher: SocketHandler {
    let socket: Socket
    private let told: (_ readable: Bool, _ writable: Bool) -> Void

    init(_ descriptor: Int32, on loop: EventLoop, told: @escaping (_ readable: Bool, _ writable: Bool) -> Void) {
        self.told = told
        socket = Socket(descriptor: descriptor, loop: loop)
        socket.setHandler(self)
    }

    func socketReady(readable: Bool, writable: Bool) { told(readable, writable) }
}

@Suite struct ReadinessTests {
    private func withLoop(_ body: (EventLoop) async throws -> Void) async rethrows {
        let loop = EventLoop(name: "test")
        loop.start()
        try await body(loop)
        loop.stop()
    }

    @Test func aSocketThatCannotBeWatchedHasEnded() async throws {
        await withLoop { loop in
            let log = CallbackLog<String>()
            loop.post {
                let watcher = Watcher(open("/dev/null", O_RDONLY), on: loop) { readable, writable in
                    log.add(readable && writable ? "told" : "told half")
                }
                let isWatched = watcher.socket.watch(readable: true, writable: false)
                log.add(isWatched ? "watched" : "not watched")
            }
            #expect(await eventually { log.entries == ["not watched", "told"] })
        }
    }

    /// Two sockets become ready in one turn, and whichever is told first closes the other.
    @Test func aSocketThatIsClosedHearsNoMoreOfItsTurn() async throws {
        let pairs = [try Pair(), try Pair()]
        for pair in pairs { pair.send() }
        await withLoop { loop in
            let log = CallbackLog<Int>()
            loop.post {
                Self.watchUntilOneIsTold(pairs, on: loop) { log.add($0) }
            }
            #expect(await eventually { !log.entries.isEmpty })
            await Self.nextTurn(of: loop)
            #expect(log.entries.count == 1)
        }
        for pair in pairs { close(pair.theirs) }
    }

    /// As before, and the number of the closed descriptor comes back in the same turn, for a socket without input.
    @Test func aNewSocketDoesNotHearOfTheOneThatHadItsDescriptor() async throws {
        let (pairs, quiet) = ([try Pair(), try Pair()], try Pair())
        for pair in pairs { pair.send() }
        await withLoop { loop in
            let log = CallbackLog<String>()
            loop.post {
                Self.watchUntilOneIsTold(pairs, on: loop) { index in
                    log.add("old")
                    let number = pairs[1 - index].ours
                    dup2(quiet.ours, number)
                    let successor = Watcher(number, on: loop) { _, _ in log.add("new") }
                    successor.socket.watch(readable: true, writable: false)
                }
            }
            #expect(await eventually { !log.entries.isEmpty })
            await Self.nextTurn(of: loop)
            #expect(log.entries == ["old"])
            quiet.send()
            #expect(await eventually { log.entries.contains("new") })
        }
        for descriptor in pairs.map(\.theirs) + [quiet.ours, quiet.theirs] { close(descriptor) }
    }

    @Test func aBrokenSocketIsReadyForWhatIsWaitedFor() async throws {
        let pair = try Pair()
        await withLoop { loop in
            let log = CallbackLog<[Bool]>()
            loop.post {
                var watcher: Watcher?
                watcher = Watcher(pair.ours, on: loop) { readable, writable in
                    log.add([readable, writable])
                    watcher?.socket.close()
                    watcher = nil
                }
                let bytes = [UInt8](repeating: 0, count: 65_536)
                while case .bytes = bytes.withUnsafeBytes({ watcher?.socket.write($0) }) {}
                watcher?.socket.watch(readable: false, writable: true)
            }
            await Self.nextTurn(of: loop)
            #expect(log.entries.isEmpty, "the peer has not read")
            close(pair.theirs)
            #expect(await eventually { log.entries == [[false, true]] })
        }
    }

    /// Watches our ends for reading; the first that is told closes all, and calls `told` with its place.
    private static func watchUntilOneIsTold(
        _ pairs: [Pair], on loop: EventLoop, _ told: @escaping (Int) -> Void
    ) {
        var watchers: [Watcher] = []
        for (index, pair) in pairs.enumerated() {
            watchers.append(
                Watcher(pair.ours, on: loop) { _, _ in
                    for watcher in watchers { watcher.socket.close() }
                    told(index)
                })
        }
        for watcher in watchers { watcher.socket.watch(readable: true, writable: false) }
    }

    private static func nextTurn(of loop: EventLoop) async {
        await withCheckedContinuation { continuation in loop.post { continuation.resume() } }
    }
}
