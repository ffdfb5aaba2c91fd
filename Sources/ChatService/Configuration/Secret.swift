import Telemetry

/// A text that must not be shown. Printing it prints a mask.
struct Secret: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let text: String

    init(_ text: String) { self.text = text }

    var description: String { Redaction.mask }
    var debugDescription: String { Redaction.mask }
    var customMirror: Mirror { Mirror(self, children: []) }
}
