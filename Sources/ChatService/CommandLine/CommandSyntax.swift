/// How a command is written: its operand and its options. Parsing and help come from it.
struct CommandSyntax: Sendable {
    struct Option: Sendable {
        /// With its dashes.
        let name: String
        /// The name of its value; nil: it takes none.
        let value: String?
        let meaning: String

        init(_ name: String, _ meaning: String) { self.init(name, nil, meaning) }

        init(_ name: String, _ value: String?, _ meaning: String) {
            self.name = name
            self.value = value
            self.meaning = meaning
        }

        var synopsis: String { value.map { "\(name) \($0)" } ?? name }
    }

    enum Operand: Sendable {
        case none
        case one(String)
        case optional(String)
        /// The command reads its arguments itself.
        case any(String)

        var synopsis: String {
            switch self {
            case .none: ""
            case .one(let name), .any(let name): " \(name)"
            case .optional(let name): " [\(name)]"
            }
        }
    }

    /// One word, or two.
    let name: String
    let operand: Operand
    let options: [Option]
    /// One line.
    let summary: String
    /// Further lines of its help.
    let notes: String

    init(_ name: String, _ summary: String, options: [Option] = [], notes: String = "") {
        self.init(name, .none, summary, options: options, notes: notes)
    }

    init(_ name: String, _ operand: Operand, _ summary: String, options: [Option] = [], notes: String = "") {
        self.name = name
        self.operand = operand
        self.summary = summary
        self.options = options
        self.notes = notes
    }

    /// - Parameter arguments: behind the command's name.
    func parse(_ arguments: [String]) throws(UsageError) -> CommandArguments {
        var parsed = CommandArguments(command: name)
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-" else {
                parsed.operands.append(argument)
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let option = options.first(where: { $0.name == parts.first }) else {
                throw UsageError(description: "unknown option \(parts.first ?? argument)")
            }
            guard parsed.values[option.name] == nil else {
                throw UsageError(description: "\(option.name) is given twice")
            }
            if option.value == nil {
                guard parts.count == 1 else { throw UsageError(description: "\(option.name) takes no value") }
                parsed.values[option.name] = ""
            } else {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw UsageError(description: "\(option.name) needs a value")
                }
                parsed.values[option.name] = value
            }
        }
        try check(parsed.operands)
        return parsed
    }

    private func check(_ operands: [String]) throws(UsageError) {
        switch operand {
        case .none:
            if let extra = operands.first {
                throw UsageError(description: "\(name) takes no argument, got \(extra)")
            }
        case .one(let operand):
            guard operands.count == 1, operands.first?.isEmpty == false else {
                throw UsageError(description: "\(name) takes one \(operand.lowercased())")
            }
        case .optional(let operand):
            guard operands.count <= 1 else {
                throw UsageError(description: "\(name) takes one \(operand.lowercased())")
            }
        case .any: break
        }
    }
}

/// The operands and options that a command was called with.
struct CommandArguments: Equatable, Sendable {
    let command: String
    var operands: [String] = []
    /// By the option's name; empty for one that takes no value.
    var values: [String: String] = [:]

    var operand: String { operands.first ?? "" }

    subscript(option: String) -> String? { values[option] }

    func has(_ option: String) -> Bool { values[option] != nil }

    /// The value of an option that takes a text with something in it.
    func text(_ option: String) throws(UsageError) -> String? {
        guard let value = values[option] else { return nil }
        guard !value.isEmpty else { throw UsageError(description: "\(option) needs a value") }
        return value
    }

    func value<Value>(_ option: String, _ type: ValueType<Value>) throws(UsageError) -> Value? {
        guard let text = values[option] else { return nil }
        guard let value = type.parse(text) else {
            throw UsageError(description: "\(option) \(text) is not allowed; allowed: \(type.allowed)")
        }
        return value
    }
}

/// Arguments that are not a command of this program.
struct UsageError: Error, Equatable, CustomStringConvertible {
    let description: String
}
