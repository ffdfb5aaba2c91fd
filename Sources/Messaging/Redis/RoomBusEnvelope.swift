import ChatDomain

/// A message on a room's channel: `{"deployment":"<id>","instance":"<publisher>","data":<payload>}`.
///
/// Deployment and publisher come first, so that an instance skips other deployments' messages by a comparison of bytes. The payload is
/// JSON and is not read here. So the whole is JSON that other services can read.
struct RoomBusEnvelope: Equatable {
    private static let opening = Array(#"{"deployment":""#.utf8)
    private static let beforeInstance = Array(#"","instance":""#.utf8)
    private static let beforeData = Array(#"","data":"#.utf8)
    private static let closing = UInt8(ascii: "}")
    private static let instanceLengths = 1...16

    let deployment: DeploymentID
    let publisher: InstanceID
    let payload: ArraySlice<UInt8>

    static func encode(
        _ payload: [UInt8], from publisher: InstanceID, of deployment: DeploymentID
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            opening.count + beforeInstance.count + beforeData.count + payload.count + deployment.value.utf8.count + 17)
        bytes += opening
        bytes += deployment.value.utf8
        bytes += beforeInstance
        bytes += publisher.value.utf8
        bytes += beforeData
        bytes += payload
        bytes.append(closing)
        return bytes
    }

    /// nil for anything that no instance publishes.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.opening) else { return nil }
        let place = bytes[Self.opening.count...].prefix { $0 != UInt8(ascii: "\"") }
        guard let deployment = DeploymentID(String(decoding: place, as: UTF8.self)),
            bytes[place.endIndex...].starts(with: Self.beforeInstance)
        else { return nil }
        let rest = bytes[(place.endIndex + Self.beforeInstance.count)...]
        let name = rest.prefix { $0 != UInt8(ascii: "\"") }
        let tail = rest[name.endIndex...]
        guard Self.instanceLengths.contains(name.count), name.allSatisfy(Self.mayName),
            tail.starts(with: Self.beforeData),
            tail.count > Self.beforeData.count + 1, tail.last == Self.closing
        else { return nil }
        self.deployment = deployment
        publisher = InstanceID(String(decoding: name, as: UTF8.self))
        payload = tail[(tail.startIndex + Self.beforeData.count)..<(tail.endIndex - 1)]
    }

    private static func mayName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
