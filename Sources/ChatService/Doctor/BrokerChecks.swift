import ChatDomain
import Gateway
import MessagingRabbitMQ

/// The brokers that events go to.
enum BrokerChecks {
    static func findings(_ configuration: Configuration) async -> [Finding] {
        guard let events = configuration.events else { return [] }
        let endpoints: [RabbitMQEndpoint]
        do throws(InvalidConfiguration) { endpoints = try events.endpoints() } catch {
            return ConfigurationChecks.problems(error)
        }
        let queues = [events.newMessageQueue, events.changesQueue, events.presenceQueue].compactMap(\.self)
        var findings: [Finding] = []
        for endpoint in endpoints { findings += await Self.findings(endpoint, queues) }
        return findings
    }

    private static func findings(_ endpoint: RabbitMQEndpoint, _ queues: [String]) async -> [Finding] {
        do throws(BrokerError) {
            let inspection = try await endpoint.inspect(queues: queues, clock: { Now.system.monotonic })
            return findings(inspection, at: "\(endpoint)")
        } catch {
            return [
                .error(
                    "rabbitmq", "\(endpoint): \(error)",
                    do:
                        "check RABBITMQ_URL, the broker, and the rights of its user on the virtual host \(endpoint.virtualHost)"
                )
            ]
        }
    }

    static func findings(_ inspection: BrokerInspection, at address: String) -> [Finding] {
        let product = [inspection.product, inspection.version].compactMap(\.self).joined(separator: " ")
        var findings = [
            Finding.ok("rabbitmq", "\(product.isEmpty ? "the broker" : product) at \(address) accepts the user")
        ]
        if !inspection.missingQueues.isEmpty {
            findings.append(
                .note(
                    "rabbitmq",
                    "queues that the service will declare: \(inspection.missingQueues.joined(separator: ", "))",
                    do:
                        "declare them beforehand if they need other arguments; its user needs the right to configure them"
                ))
        }
        if let reason = inspection.blockedReason {
            findings.append(
                .error(
                    "rabbitmq", "it accepts no events: \(reason)",
                    do: "clear the broker's alarm; events wait in the store"))
        }
        return findings
    }
}
