import RedisLink

/// The scripts over history lists; each file documents its arguments and result.
enum HistoryScripts {
    static let append = script(PackageResources.append_history_lua, "append-history")
    static let fill = script(PackageResources.fill_history_lua, "fill-history")
    static let change = script(PackageResources.change_history_lua, "change-history")
    static let read = script(PackageResources.read_history_lua, "read-history")

    private static func script(_ body: [UInt8], _ name: String) -> RedisScript {
        RedisScript(PackageResources.history_list_lua + body, name: name)
    }
}
