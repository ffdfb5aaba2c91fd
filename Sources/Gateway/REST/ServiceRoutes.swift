import ChatCore
import ChatProtocol
import ChatDomain
import WireProtocols

/// Messages of the operator's other services over REST.
struct ServiceRoutes: RouteGroup {
    private let services: Services

    init(services: Services) { self.services = services }

    /// The counterpart of `send_message` on the internal listener.
    func send(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        let message = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> ServiceMessage in try ServiceMessage(fields, from: nil)
        }
        let delivery = await services.sendDirect(
            message.message, from: message.sender, to: message.recipients)
        return .json(delivery.json)
    }
}
