import ChatDomain
import RedisLink

/// The channels over which the instances of one deployment meet.
struct PresenceChannels: Sendable {
    let deployment: DeploymentID
    let space: KeySpace

    /// The scripts announce changes of presence and lost instances here.
    let changes: [UInt8]
    /// Payloads for all instances.
    let everyone: [UInt8]

    init(deployment: DeploymentID, space: KeySpace) {
        (self.deployment, self.space) = (deployment, space)
        changes = Array("\(space.prefix)presence:\(deployment)".utf8)
        everyone = Array("\(space.prefix)instances:\(deployment)".utf8)
    }

    /// Payloads for one instance, and the marks that it sends to itself.
    func inbox(of instance: InstanceID) -> [UInt8] {
        Array("\(space.prefix)instance:\(deployment):\(instance):inbox".utf8)
    }
}

/// The keys that are read without a script. `presence.lua` describes all of them.
struct PresenceKeys: Sendable {
    let space: KeySpace

    var instances: RedisArgument { RedisArgument("\(space.prefix)instances") }
    func sessions(of instance: InstanceID) -> RedisArgument {
        RedisArgument("\(space.prefix)instance:\(instance):sessions")
    }
    func rooms(of instance: InstanceID) -> RedisArgument {
        RedisArgument("\(space.prefix)instance:\(instance):rooms")
    }
    func user(_ user: UserID) -> RedisArgument { RedisArgument("\(space.prefix)user:\(user.value)") }
    /// Reads how a user stands, from the field of the user's key that holds the user's presence.
    func reading(_ user: UserID) -> RedisCommand { ["HGET", self.user(user), ""] }
    /// The users that others see online, in the order of their ids.
    var online: RedisArgument { RedisArgument("\(space.prefix)online") }
    /// Other services record friends here.
    static func friends(of user: UserID) -> RedisArgument { RedisArgument("user:friends:\(user.value)") }
    /// Keys of a user that other services write or read.
    static func traces(of user: UserID) -> [RedisArgument] {
        ["user:friends:", "user:presence:", "online:presence:", "online:user:socket:"].map {
            RedisArgument($0 + user.value)
        }
    }
}
