import RedisLink

/// The scripts over history lists; each file says what it is given and returns.
enum HistoryScripts {
    static let append = RedisScript(PackageResources.history_list_lua + PackageResources.append_history_lua)
    static let fill = RedisScript(PackageResources.history_list_lua + PackageResources.fill_history_lua)
    static let read = RedisScript(PackageResources.history_list_lua + PackageResources.read_history_lua)
}
