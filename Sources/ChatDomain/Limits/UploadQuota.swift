/// How many files one user uploads: a number at a time, and a number in each hour. The bytes of an hour follow from the largest
/// file.
public struct UploadQuota: Hashable, Sendable {
    /// Uploads of a user under way at once.
    public static let maximumConcurrent = 8
    /// Uploads of a user that begin within an hour.
    public static let maximumPerHour = 200
    public static let window: Duration = .seconds(3600)

    private var windowStart: Moment
    private var begun = 0
    private var underWay = 0

    public init(at now: Moment) { windowStart = now }

    /// Counts an upload that begins.
    ///
    /// - Returns: nil when it may; else the time to wait.
    public mutating func begin(at now: Moment) -> Duration? {
        if now - windowStart >= Self.window { (windowStart, begun) = (now, 0) }
        guard underWay < Self.maximumConcurrent else { return .seconds(1) }
        guard begun < Self.maximumPerHour else { return Self.window - (now - windowStart) }
        begun += 1
        underWay += 1
        return nil
    }

    public mutating func end() { underWay = max(0, underWay - 1) }

    /// Whether nothing is lost when it is forgotten.
    public func isSpare(at now: Moment) -> Bool { underWay == 0 && now - windowStart >= Self.window }
}
