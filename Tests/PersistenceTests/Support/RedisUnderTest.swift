import RedisLink
import RedisTestSupport

enum RedisKind: CaseIterable, Sendable {
    case server, cluster
}

/// One Redis server, or a cluster of one node: it asks for the same discipline as one of many.
enum RedisUnderTest: Sendable {
    case server(RedisServer)
    case cluster(RedisCluster)

    init(_ kind: RedisKind) async throws {
        switch kind {
        case .server: self = .server(try await RedisServer())
        case .cluster: self = .cluster(try await RedisCluster())
        }
    }

    var deployment: RedisDeployment {
        switch self {
        case .server(let server): .single(RedisEndpoint(host: "127.0.0.1", port: server.port))
        case .cluster(let cluster):
            .cluster(cluster.nodes.map { RedisAddress(host: "127.0.0.1", port: $0.port) }, RedisAccess())
        }
    }

    /// The only server.
    var server: RedisServer {
        switch self {
        case .server(let server): server
        case .cluster(let cluster): cluster.nodes[0]
        }
    }

    func kill() { server.kill() }
}
