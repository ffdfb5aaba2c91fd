import ChatDomain
import Identity

extension Services {
    /// The identity, or `banned` where its user is banned from the deployment.
    package func admit(_ identity: Identity) -> Result<Identity, ChatError> {
        if let refusal = standings.refusal(of: identity.userID) { return .failure(refusal) }
        return .success(identity)
    }
}
