/// The chapters of the reference page.
enum VariableGroup: String, CaseIterable, Sendable {
    case listening = "Listening"
    case process = "Process and logs"
    case identity = "Identity"
    case storage = "Store, bus and events"
    case webhooks = "Webhooks, and the hook before messages"
    case limits = "Limits"
    case rooms = "Rooms and history"
    case presence = "Presence"
    case page = "Chat page"
    case admin = "Management"
}

/// The meaning of a variable that is not set.
enum Fallback: Hashable, Sendable {
    /// This text, read as if it had been set.
    case text(String)
    /// A value that only the running process knows, described in words.
    case described(String)
}

/// How much of a variable's value may be shown.
enum Sensitivity: Sendable {
    case plain
    /// A URL that may carry credentials. It is shown without them, and not at all when it is no valid URL.
    case credentials
    /// Never shown.
    case secret
}

/// One environment variable. Parsing, `--help`, `--check-config` and the reference page all use this declaration.
struct Variable<Value: Sendable>: Sendable {
    let name: String
    let group: VariableGroup
    let type: ValueType<Value>
    let fallback: Fallback
    let summary: String
    let sensitivity: Sensitivity

    /// A variable with a default.
    init(_ name: String, _ group: VariableGroup, _ type: ValueType<Value>, default text: String, _ summary: String) {
        self.init(name, group, type, fallback: .text(text), sensitivity: .plain, summary)
    }

    /// A variable that may stay unset; `unset` describes the meaning of that.
    init(
        _ name: String, _ group: VariableGroup, _ type: ValueType<Value>, unset: String,
        sensitivity: Sensitivity = .plain,
        _ summary: String
    ) {
        self.init(name, group, type, fallback: .described(unset), sensitivity: sensitivity, summary)
    }

    private init(
        _ name: String, _ group: VariableGroup, _ type: ValueType<Value>, fallback: Fallback, sensitivity: Sensitivity,
        _ summary: String
    ) {
        self.name = name
        self.group = group
        self.type = type
        self.fallback = fallback
        self.sensitivity = sensitivity
        self.summary = summary
    }
}

/// A variable of any value type, for lists and pages.
protocol AnyVariable: Sendable {
    var name: String { get }
    var group: VariableGroup { get }
    var allowed: String { get }
    var fallback: Fallback { get }
    var summary: String { get }
    var sensitivity: Sensitivity { get }
    func allows(_ text: String) -> Bool
}

extension Variable: AnyVariable {
    var allowed: String { type.allowed }
    func allows(_ text: String) -> Bool { type.parse(text) != nil }
}

extension AnyVariable {
    var defaultText: String {
        switch fallback {
        case .text(let text): text
        case .described(let meaning): meaning
        }
    }
}
