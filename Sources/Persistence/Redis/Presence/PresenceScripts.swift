import ChatDomain
import RedisLink

/// The scripts over sessions and what is derived from them; each file documents its arguments and result.
struct PresenceScripts: Sendable {
    let connect: RedisScript
    let update: RedisScript
    let leave: RedisScript
    let lease: RedisScript
    let sweep: RedisScript
    let snapshot: RedisScript
    let renew: RedisScript
    let room: RedisScript
    let others: RedisScript
    let time: RedisScript
    let written: RedisScript
    let rewrite: RedisScript

    /// - Parameters:
    ///   - deployment: the scripts announce changes to its instances.
    ///   - isCluster: the scripts return what they derive, and do not write it.
    init(deployment: DeploymentID, isCluster: Bool) {
        let constants = Array("local DEPLOYMENT, IS_CLUSTER = '\(deployment)', \(isCluster)\n".utf8)
        let shared =
            PackageResources.common_lua + constants + PackageResources.derived_keys_lua + PackageResources.presence_lua
        func script(_ body: [UInt8], _ name: String) -> RedisScript { RedisScript(shared + body, name: name) }
        connect = script(PackageResources.presence_connect_lua, "presence-connect")
        update = script(PackageResources.presence_update_lua, "presence-update")
        leave = script(PackageResources.presence_leave_lua, "presence-leave")
        lease = script(PackageResources.presence_lease_lua, "presence-lease")
        sweep = script(PackageResources.presence_sweep_lua, "presence-sweep")
        snapshot = script(PackageResources.presence_snapshot_lua, "presence-snapshot")
        renew = script(PackageResources.presence_renew_lua, "presence-renew")
        room = script(PackageResources.presence_room_lua, "presence-room")
        others = script(PackageResources.presence_others_lua, "presence-others")
        time = script(PackageResources.presence_time_lua, "presence-time")
        written = script(PackageResources.presence_written_lua, "presence-written")
        rewrite = script(PackageResources.presence_rewrite_lua, "presence-rewrite")
    }
}
