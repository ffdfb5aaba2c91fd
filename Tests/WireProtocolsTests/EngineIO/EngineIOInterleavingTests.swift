import TestSupport
import Testing
import WireProtocols

/// A client that polls, posts and upgrades as stock clients do, on a network that delivers whenever chance says so.
private struct ChanceClient {
    enum Stage { case polling, probing, pausing, upgraded }

    var peer = EngineIOPeer(over: .polling)
    var stage = Stage.polling
    var received: [String] = []
    private var isPolling = false
    /// Under way, each in the order it was sent.
    private var answersToClient: [String] = []
    private var framesToClient: [String] = []
    private var framesToServer: [String] = []
    private var postToServer: String?
    private var framesSeen = 0
    private var answersSeen = 0
    private var nextFromClient = 0
    private var nextFromServer = 0

    var isQuiet: Bool {
        answersToClient.isEmpty && framesToClient.isEmpty && framesToServer.isEmpty && postToServer == nil
    }
    var sentByServer: [String] { (0..<nextFromServer).map { "4s\($0)" } }
    var sentByClient: [EngineIOPeer.Delivery] { (0..<nextFromClient).map { .text("c\($0)") } }

    mutating func serverSends() {
        peer.send("4s\(nextFromServer)")
        nextFromServer += 1
        collect()
    }

    mutating func serverFlushes() {
        peer.flush()
        collect()
    }

    /// A stock client posts one payload at a time, and none once it pauses polling.
    mutating func clientSends() {
        switch stage {
        case .upgraded: framesToServer.append("4c\(nextFromClient)")
        case .polling, .probing:
            guard postToServer == nil else { return }
            postToServer = "4c\(nextFromClient)"
        case .pausing: return
        }
        nextFromClient += 1
    }

    mutating func clientPolls() {
        guard !isPolling, stage == .polling || stage == .probing else { return }
        isPolling = true
        #expect(peer.get() == nil)
        collect()
    }

    mutating func clientProbes() {
        guard stage == .polling, peer.session.openProbe(now: peer.now) == nil else { return }
        stage = .probing
        framesToServer.append("2probe")
    }

    mutating func clientUpgrades() {
        guard stage == .pausing, !isPolling, postToServer == nil else { return }
        stage = .upgraded
        framesToServer.append("5")
    }

    mutating func networkDelivers(_ choice: Int) {
        switch choice {
        case 0 where !answersToClient.isEmpty:
            isPolling = false
            received += answersToClient.removeFirst().split(separator: "\u{1E}").map(String.init)
        case 1 where !framesToClient.isEmpty:
            let frame = framesToClient.removeFirst()
            if frame == "3probe" { stage = .pausing } else { received.append(frame) }
        case 2 where !framesToServer.isEmpty:
            let frame = framesToServer.removeFirst()
            if peer.session.transport == .webSocket { peer.webSocketSends(frame) } else { peer.probeSends(frame) }
        case 3:
            if let post = postToServer { #expect(peer.post(post) == nil) }
            postToServer = nil
        default: break
        }
        collect()
    }

    mutating func timePasses() {
        peer.wait(1)
        collect()
    }

    private mutating func collect() {
        answersToClient += peer.polled[answersSeen...]
        answersSeen = peer.polled.count
        framesToClient += peer.written[framesSeen...]
        framesSeen = peer.written.count
    }
}

@Suite struct EngineIOInterleavingTests {
    @Test func everyMessageArrivesOnceAndInOrderAcrossTheUpgrade() {
        var upgrades = 0
        for seed in 0..<300 {
            var random = SplitMix(seed: UInt64(seed))
            var client = ChanceClient()
            for _ in 0..<250 { step(&client, Int.random(in: 0..<10, using: &random)) }
            for round in 0..<420 { step(&client, [1, 2, 4, 5, 6, 7, 8][round % 7]) }
            #expect(client.isQuiet)
            #expect(client.received.filter { $0.first == "4" } == client.sentByServer, "seed \(seed)")
            #expect(client.peer.delivered == client.sentByClient, "seed \(seed)")
            #expect(client.peer.session.closeReason == nil, "seed \(seed)")
            if client.stage == .upgraded { upgrades += 1 }
        }
        #expect(upgrades > 250, "the upgrade is what this is about")
    }

    private func step(_ client: inout ChanceClient, _ choice: Int) {
        switch choice {
        case 0: client.serverSends()
        case 1: client.serverFlushes()
        case 2: client.clientPolls()
        case 3: client.clientSends()
        case 4...7: client.networkDelivers(choice - 4)
        case 8:
            client.clientUpgrades()
            client.timePasses()
        default: client.clientProbes()
        }
    }
}
