import ChatDomain
import RedisLink

/// The channels over which the instances of one deployment meet.
struct PresenceChannels: Sendable {
    let deployment: DeploymentID

    /// The scripts announce changes of presence and lost instances here.
    var changes: [UInt8] { Array("chat-service:presence:\(deployment)".utf8) }
    /// Payloads for all instances.
    var everyone: [UInt8] { Array("chat-service:instances:\(deployment)".utf8) }
    /// Payloads for one instance, and the marks that it sends to itself.
    func inbox(of instance: InstanceID) -> [UInt8] {
        Array("chat-service:instance:\(deployment):\(instance):inbox".utf8)
    }
}

/// The keys that are read without a script. `presence.lua` describes all of them.
enum PresenceKeys {
    static let instances: RedisArgument = "chat-service:instances"
    static func sessions(of instance: InstanceID) -> RedisArgument {
        RedisArgument("chat-service:instance:\(instance):sessions")
    }
    static func rooms(of instance: InstanceID) -> RedisArgument {
        RedisArgument("chat-service:instance:\(instance):rooms")
    }
    static func user(_ user: UserID) -> RedisArgument { RedisArgument("chat-service:user:\(user.value)") }
    /// The users that others see online, in the order of their ids.
    static let online: RedisArgument = "chat-service:online"
    /// The field of a user's key that holds the user's presence.
    static let presenceField: RedisArgument = ""
    /// Other services record friends here.
    static func friends(of user: UserID) -> RedisArgument { RedisArgument("user:friends:\(user.value)") }
}
