import Foundation
import TestSupport

/// Real redis-servers in cluster mode, each a primary with its share of the slots. It keeps no data over a restart.
public final class RedisCluster: Sendable {
    public let nodes: [RedisServer]

    /// Starts the nodes and waits until every one serves.
    ///
    /// - Parameters:
    ///   - primaries: how many nodes share the slots.
    ///   - others: nodes without a slot.
    ///   - uncovered: slots that no node gets. The nodes serve the others only with `--cluster-require-full-coverage no`.
    public init(primaries: Int = 1, others: Int = 0, uncovered: Range<Int> = 0..<0, _ more: [String] = []) async throws
    {
        var nodes: [RedisServer] = []
        for number in 1...(primaries + others) {
            let arguments = [
                "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
                // A node that hears nothing for so long takes no commands: on a busy machine a second is not rare.
                "--cluster-node-timeout", "10000",
                "--cluster-port", "\(try FreePort.take())",
            ]
            let node = try await RedisServer(arguments + more)
            try node.cli("CLUSTER", "SET-CONFIG-EPOCH", "\(number)")
            nodes.append(node)
        }
        self.nodes = nodes
        for (index, node) in nodes.prefix(primaries).enumerated() {
            let share = (16_384 * index / primaries)..<(16_384 * (index + 1) / primaries)
            for range in [
                share.clamped(to: 0..<uncovered.lowerBound), share.clamped(to: uncovered.upperBound..<16_384),
            ] where !range.isEmpty {
                try node.cli("CLUSTER", "ADDSLOTSRANGE", "\(range.lowerBound)", "\(range.upperBound - 1)")
            }
            if index > 0 { try meet(node) }
        }
        for node in nodes.dropFirst(primaries) { try meet(node) }
        for node in nodes {
            let isServing = try await eventually {
                let info = try node.cli("CLUSTER", "INFO")
                if info.contains("cluster_known_nodes:\(nodes.count)"), info.contains("cluster_state:ok") {
                    return true
                }
                // Each look is a process.
                try await Task.sleep(for: .milliseconds(250))
                return false
            }
            guard isServing else { throw RedisServer.Trouble(description: "the cluster does not come up") }
        }
    }

    private func meet(_ node: RedisServer) throws {
        let bus = try node.cli("CONFIG", "GET", "cluster-port").split(separator: "\n").last ?? ""
        try nodes[0].cli("CLUSTER", "MEET", "127.0.0.1", "\(node.port)", String(bus))
    }

    /// The port of the node that serves a slot, as the first node says.
    public func owner(of slot: Int) throws -> RedisServer {
        for node in nodes {
            let line = try node.cli("CLUSTER", "NODES").split(separator: "\n").first { $0.contains("myself") } ?? ""
            for part in line.split(separator: " ").dropFirst(8) {
                let ends = part.split(separator: "-").compactMap { Int($0) }
                if let first = ends.first, let last = ends.last, first...max(first, last) ~= slot { return node }
            }
        }
        throw RedisServer.Trouble(description: "no node has slot \(slot)")
    }

    /// Moves a slot as `redis-cli --cluster reshard` does.
    ///
    /// - Parameter halfway: called after the first of the slot's keys has moved.
    public func move(_ slot: Int, to target: RedisServer, halfway: () async throws -> Void = {}) async throws {
        let source = try owner(of: slot)
        let (from, to) = (try source.cli("CLUSTER", "MYID"), try target.cli("CLUSTER", "MYID"))
        try target.cli("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", from)
        try source.cli("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", to)
        var isHalfway = false
        while true {
            let keys = try source.cli("CLUSTER", "GETKEYSINSLOT", "\(slot)", "1").split(separator: "\n").map(
                String.init)
            guard let key = keys.first else { break }
            try source.cli("MIGRATE", "127.0.0.1", "\(target.port)", key, "0", "5000")
            if !isHalfway { try await halfway() }
            isHalfway = true
        }
        if !isHalfway { try await halfway() }
        for node in [target, source] + nodes where node !== target || node !== source {
            try node.cli("CLUSTER", "SETSLOT", "\(slot)", "NODE", to)
        }
    }

    public func kill() { for node in nodes { node.kill() } }
}

extension RedisServer {
    /// Runs a command with redis-cli.
    ///
    /// - Returns: what it prints, without the last line's end.
    @discardableResult public func cli(_ words: String...) throws -> String {
        let output = FileManager.default.temporaryDirectory.path + "/redis-cli-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: output) }
        try ChildProcess("redis-cli", ["-p", "\(port)"] + words, output: output).waitForEnd()
        let text = try String(contentsOfFile: output, encoding: .utf8)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
