import ChatDomain
import JSON

/// The answer of one instance. Another instance may answer anything.
package struct FleetAnswer: Sendable {
    package let instance: InstanceID
    package let root: JSONValue
}

/// The answers of a fleet to one question.
package struct FleetAnswers: Sendable {
    /// By the name of the instance.
    package let answers: [FleetAnswer]
    /// Instances that did not answer in time, by name.
    package let unanswered: [InstanceID]
    /// Whether it was known which other instances there are.
    package let isFleetKnown: Bool

    package init(_ answers: [InstanceID: [UInt8]], asked: Set<InstanceID>, isFleetKnown: Bool) {
        let parsed = answers.compactMap { instance, bytes in
            (try? JSONValue(parsing: bytes)).map { FleetAnswer(instance: instance, root: $0) }
        }
        self.answers = parsed.filter { $0.root.object != nil }.sorted { $0.instance.value < $1.instance.value }
        let answered = Set(self.answers.map(\.instance))
        unanswered = asked.subtracting(answered).sorted { $0.value < $1.value }
        self.isFleetKnown = isFleetKnown
    }

    /// Which instances answered and which did not.
    package func write(into out: inout JSONWriter) {
        out.key("instances")
        out.array(answers) { $0.string($1.instance.value) }
        out.key("unanswered")
        out.array(unanswered) { $0.string($1.value) }
        out.member("complete", isFleetKnown && unanswered.isEmpty)
    }
}
