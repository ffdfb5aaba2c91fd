import ChatDomain
import RedisLink

/// The scripts over sessions and what is derived from them; each file documents its arguments and result.
struct PresenceScripts: Sendable {
    let connect: RedisScript
    let update: RedisScript
    let remove: RedisScript
    let lease: RedisScript
    let sweep: RedisScript
    let snapshot: RedisScript
    let renew: RedisScript
    let room: RedisScript
    let others: RedisScript

    /// - Parameter deployment: the scripts announce changes to its instances.
    init(deployment: DeploymentID) {
        let constant = Array("local DEPLOYMENT = '\(deployment)'\n".utf8)
        func script(_ body: [UInt8], _ name: String) -> RedisScript {
            RedisScript(PackageResources.common_lua + constant + PackageResources.presence_lua + body, name: name)
        }
        connect = script(PackageResources.presence_connect_lua, "presence-connect")
        update = script(PackageResources.presence_update_lua, "presence-update")
        remove = script(PackageResources.presence_remove_lua, "presence-remove")
        lease = script(PackageResources.presence_lease_lua, "presence-lease")
        sweep = script(PackageResources.presence_sweep_lua, "presence-sweep")
        snapshot = script(PackageResources.presence_snapshot_lua, "presence-snapshot")
        renew = script(PackageResources.presence_renew_lua, "presence-renew")
        room = script(PackageResources.presence_room_lua, "presence-room")
        others = script(PackageResources.presence_others_lua, "presence-others")
    }
}
