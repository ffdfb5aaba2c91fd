import ChatCore
import ChatProtocol
import ChatDomain
import WireProtocols

/// What other services of the operator's ask for over REST. It needs the service key.
struct ServiceRoutes: Sendable {
    let services: Services

    init(services: Services) { self.services = services }

    /// What `send_message` is on the internal listener.
    func send(_ request: RESTRequest) async throws(ChatError) -> HTTPResponse {
        guard request.caller.isService else { throw ChatError(.unauthorized, "this takes the service key") }
        let message = try request.fields(limits: services.configuration.commands) {
            (fields) throws(ChatError) -> ServiceMessage in try ServiceMessage(fields, from: nil)
        }
        let delivery = await services.sendDirect(
            message.message, from: message.sender, to: message.recipients)
        return .json(delivery.json)
    }
}
