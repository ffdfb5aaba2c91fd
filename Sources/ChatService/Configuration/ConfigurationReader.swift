import Telemetry

/// The source of a setting's text.
enum SettingSource: String, Sendable {
    case environment
    case file = ".env"
    case fallback = "default"
}

/// A setting in force, with secrets masked.
struct EffectiveSetting: Equatable, Sendable {
    let name: String
    let value: Fallback
    let source: SettingSource
}

/// Every problem of a configuration. It stops the start, or a reload.
struct InvalidConfiguration: Error, Equatable, CustomStringConvertible {
    let problems: [String]
    let warnings: [String]

    var description: String { problems.map { "configuration: \($0)" }.joined(separator: "\n") }
}

/// Looks variables up and collects the problems of their values.
struct ConfigurationReader {
    private let environment: [String: String]
    private let file: [String: String]
    private(set) var problems: [String] = []
    private(set) var warnings: [String] = []
    /// The names that were looked up.
    private(set) var names: Set<String> = []

    /// - Parameter file: the content of the `.env` file, over which the environment takes precedence.
    init(environment: [String: String], file: EnvironmentFile) {
        self.environment = environment
        self.file = file.values
        problems = file.problems.map { ".env, \($0)" }
        warnings =
            Self.misspellings(in: environment, deliberate: false) + Self.misspellings(in: file.values, deliberate: true)
    }

    /// The value of a variable that has a default. Text that is not allowed is a problem, and the result is the default.
    mutating func value<Value>(_ variable: Variable<Value>) -> Value {
        if let value = optional(variable) { return value }
        guard case .text(let text) = variable.fallback, let value = variable.type.parse(text) else {
            preconditionFailure("\(variable.name) has no usable default")
        }
        return value
    }

    /// The value of a variable that may be unset. An empty variable counts as unset.
    mutating func optional<Value>(_ variable: Variable<Value>) -> Value? {
        names.insert(variable.name)
        guard let (text, _) = text(of: variable) else { return nil }
        if let value = variable.type.parse(text) { return value }
        problems.append(
            "\(variable.name)=\(Self.shown(text, of: variable)) is not allowed; allowed: \(variable.allowed)")
        return nil
    }

    func isSet(_ variable: any AnyVariable) -> Bool { text(of: variable) != nil }

    mutating func refuse(_ problem: String) { problems.append(problem) }
    mutating func warn(_ warning: String) { warnings.append(warning) }

    /// A variable with the text in force.
    func effective(_ variable: any AnyVariable) -> EffectiveSetting {
        guard let (text, source) = text(of: variable) else {
            return EffectiveSetting(name: variable.name, value: variable.fallback, source: .fallback)
        }
        return EffectiveSetting(name: variable.name, value: .text(Self.shown(text, of: variable)), source: source)
    }

    /// Drops blanks around a value, except in secrets, of which they may be a part.
    private func text(of variable: any AnyVariable) -> (String, SettingSource)? {
        for (values, source) in [(environment, SettingSource.environment), (file, .file)] {
            guard let text = values[variable.name] else { continue }
            let trimmed = text.trimmingBlanks()
            if !trimmed.isEmpty { return (variable.sensitivity == .secret ? text : trimmed, source) }
        }
        return nil
    }

    private static func shown(_ text: String, of variable: any AnyVariable) -> String {
        switch variable.sensitivity {
        case .secret: return Redaction.mask
        case .credentials where !variable.allows(text): return Redaction.mask
        default: return String(Redaction.redacting(text).prefix(200).map { $0.isNewline || $0 == "\u{1B}" ? " " : $0 })
        }
    }

    private static func misspellings(in values: [String: String], deliberate: Bool) -> [String] {
        let known = Variables.all.map(\.name)
        return values.keys.sorted().filter { !known.contains($0) }.compactMap { name in
            Misspelling.suggestion(for: name, among: known, deliberate: deliberate).map {
                "\(name) is not a variable of this service; did you mean \($0)?"
            }
        }
    }
}
