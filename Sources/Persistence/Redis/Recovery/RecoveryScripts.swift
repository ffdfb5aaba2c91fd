import RedisLink

/// The scripts over broken-off sessions; each file says what it is given and returns.
enum RecoveryScripts {
    static let keep = script(PackageResources.recovery_keep_lua)
    static let take = script(PackageResources.recovery_take_lua)
    static let forget = script(PackageResources.recovery_forget_lua)

    private static func script(_ body: [UInt8]) -> RedisScript {
        RedisScript(PackageResources.common_lua + PackageResources.recovery_lua + body)
    }
}
