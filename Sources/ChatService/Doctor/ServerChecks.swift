import HTTPClient
import JSON

/// The service on this host, if it runs: whether it listens, and what it says of itself.
enum ServerChecks {
    private static let deadline = Duration.seconds(5)

    static func findings(_ configuration: Configuration) async -> [Finding] {
        let address = ServerAddress(configuration.listening)
        do throws(Healthcheck.Failure) {
            try Healthcheck.run(address)
        } catch {
            return [failure(error, port: address.port)]
        }
        guard !address.usesTLS, let client = try? HTTPClient(HTTPClient.Settings(name: "doctor-http")) else {
            return [.ok("service", "the service runs on port \(address.port)")]
        }
        let request = HTTPClientRequest(.get, address.url + "/ready", deadline: deadline)
        let answer = try? await client.send(request)
        await client.close()
        let readiness = answer.flatMap { try? JSONValue(parsing: $0.body) }
        return findings(readiness, port: address.port)
    }

    private static func failure(_ failure: Healthcheck.Failure, port: Int) -> Finding {
        if case .unreachable = failure { return .note("service", "the service does not run on port \(port)") }
        return .error(
            "service", "port \(port): \(failure)",
            do: "another program has the port, or the service hangs: ss -ltnp 'sport = :\(port)'")
    }

    /// - Parameter readiness: the answer of `GET /ready`; nil where there is none.
    static func findings(_ readiness: JSONValue?, port: Int) -> [Finding] {
        guard let readiness else {
            return [
                .error(
                    "service", "GET /ready on port \(port) does not answer with JSON", do: "look at the service's log")
            ]
        }
        let troubles = (readiness["dependencies"]?.object ?? [:]).sorted { $0.key < $1.key }.compactMap { name, state in
            trouble(name, state)
        }
        if !troubles.isEmpty { return troubles }
        guard readiness["ready"]?.bool == true else {
            return [
                .warning(
                    "service", "it runs on port \(port) and takes no new clients",
                    do: "it drains; start it again when that is not intended")
            ]
        }
        return [.ok("service", "it runs on port \(port), and all that it uses is up")]
    }

    private static func trouble(_ name: String, _ state: JSONValue) -> Finding? {
        guard let status = state["state"]?.string, status != "up" else { return nil }
        let reason = state["lastError"]?.string ?? "no reason given"
        return .warning(
            "service", "the running service reports \(name) as \(status): \(reason)",
            do: "docs/operations.md says under \"Health checks\" what to do")
    }
}
