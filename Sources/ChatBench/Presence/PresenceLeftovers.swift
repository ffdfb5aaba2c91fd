import RedisLink

/// Searches Redis for keys that a killed instance and its users left behind.
enum PresenceLeftovers {
    /// - Parameters:
    ///   - instance: the killed instance.
    /// - Returns: keys of the instance and of bench users, and keys of sets that still name one of them.
    static func keys(in deployment: RedisDeployment, of instance: String) async throws(BenchFailure) -> [String] {
        let client = RedisClient(deployment)
        do throws(RedisError) {
            let found = try await search(client, instance)
            await client.close()
            return found
        } catch {
            await client.close()
            throw BenchFailure(description: "cannot read Redis: \(error)")
        }
    }

    private static func search(_ client: RedisClient, _ instance: String) async throws(RedisError) -> [String] {
        for _ in 0..<500 where client.state != .connected { try? await Task.sleep(for: .milliseconds(10)) }
        let user = PresenceClient.userPrefix
        var left = try await scan(client, ["SCAN"]).filter {
            $0.contains(user) || $0.hasPrefix("chat-service:instance:\(instance):")
                || $0.hasPrefix("online:socket:user:\(instance)-")
        }
        for set in ["online_users", "online:users:set", "chat-service:users"] {
            let members = try await scan(client, ["SSCAN", RedisArgument(set)])
            if members.contains(where: { $0.hasPrefix(user) }) { left.append(set) }
        }
        let lease = try await client.send(["ZSCORE", "chat-service:instances", RedisArgument(instance)])
        if !lease.isNull { left.append("chat-service:instances") }
        return left
    }

    private static func scan(_ client: RedisClient, _ command: [RedisArgument]) async throws(RedisError) -> [String] {
        var cursor = "0"
        var found: [String] = []
        repeat {
            let page = try await client.send(command + [RedisArgument(cursor), "COUNT", 1000]).array ?? []
            found += page.last?.array?.compactMap(\.text) ?? []
            cursor = page.first?.text ?? "0"
        } while cursor != "0"
        return found
    }
}
