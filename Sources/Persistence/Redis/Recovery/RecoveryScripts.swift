import RedisLink

/// The scripts over broken-off sessions; each file documents its arguments and result.
enum RecoveryScripts {
    static let keep = script(PackageResources.recovery_keep_lua, "recovery-keep")
    static let take = script(PackageResources.recovery_take_lua, "recovery-take")
    static let forget = script(PackageResources.recovery_forget_lua, "recovery-forget")

    private static func script(_ body: [UInt8], _ name: String) -> RedisScript {
        RedisScript(PackageResources.common_lua + PackageResources.recovery_lua + body, name: name)
    }
}
