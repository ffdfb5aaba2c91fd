import RedisLink

/// The scripts over sessions and what is derived from them; each file says what it is given and returns.
enum PresenceScripts {
    static let connect = script(PackageResources.presence_connect_lua)
    static let update = script(PackageResources.presence_update_lua)
    static let remove = script(PackageResources.presence_remove_lua)
    static let lease = script(PackageResources.presence_lease_lua)
    static let sweep = script(PackageResources.presence_sweep_lua)
    static let snapshot = script(PackageResources.presence_snapshot_lua)
    static let renew = script(PackageResources.presence_renew_lua)
    static let room = script(PackageResources.presence_room_lua)

    private static func script(_ body: [UInt8]) -> RedisScript {
        RedisScript(PackageResources.common_lua + PackageResources.presence_lua + body)
    }
}
