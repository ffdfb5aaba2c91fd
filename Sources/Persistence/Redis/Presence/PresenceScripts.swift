import RedisLink

/// The scripts over sessions and what is derived from them; each file says what it is given and returns.
enum PresenceScripts {
    static let connect = script(PackageResources.presence_connect_lua, "presence-connect")
    static let update = script(PackageResources.presence_update_lua, "presence-update")
    static let remove = script(PackageResources.presence_remove_lua, "presence-remove")
    static let lease = script(PackageResources.presence_lease_lua, "presence-lease")
    static let sweep = script(PackageResources.presence_sweep_lua, "presence-sweep")
    static let snapshot = script(PackageResources.presence_snapshot_lua, "presence-snapshot")
    static let renew = script(PackageResources.presence_renew_lua, "presence-renew")
    static let room = script(PackageResources.presence_room_lua, "presence-room")

    private static func script(_ body: [UInt8], _ name: String) -> RedisScript {
        RedisScript(PackageResources.common_lua + PackageResources.presence_lua + body, name: name)
    }
}
