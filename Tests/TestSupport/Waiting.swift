/// Waits until `condition` holds, for tests whose condition another thread or process brings about. The limit is far beyond
/// what a busy machine needs, so that it is only reached where the condition never comes.
///
/// - Returns: false when it does not hold within `limit`.
public func eventually(
    within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    var isFirst = true
    while true {
        if try await condition() { return true }
        guard .now < deadline else { return false }
        // Most conditions are brought about by a thread that only needs a core.
        if isFirst { await Task.yield() } else { try? await Task.sleep(for: .milliseconds(2)) }
        isFirst = false
    }
}

/// Asks until the answer holds or `limit` has passed.
///
/// - Returns: the last answer.
public func eventually<Value>(
    within limit: Duration = .seconds(60), _ ask: () async throws -> Value, holds: (Value) -> Bool
) async rethrows -> Value {
    var answer = try await ask()
    if holds(answer) { return answer }
    _ = try await eventually(within: limit) {
        answer = try await ask()
        return holds(answer)
    }
    return answer
}
