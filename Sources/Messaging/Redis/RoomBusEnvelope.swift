import ChatDomain

/// What travels on a room's channel: `{"deployment":"<id>","instance":"<publisher>","data":<payload>}`.
///
/// Deployment and publisher stand first, so that an instance knows what is not for it by a comparison of bytes. The payload is
/// JSON, which makes the whole readable JSON for whoever else listens; it is carried as it is and not looked into.
struct RoomBusEnvelope: Equatable {
    private static let opening = Array(#"{"deployment":""#.utf8)
    private static let second = Array(#"","instance":""#.utf8)
    private static let middle = Array(#"","data":"#.utf8)
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
            opening.count + second.count + middle.count + payload.count + deployment.value.utf8.count + 17)
        bytes += opening
        bytes += deployment.value.utf8
        bytes += second
        bytes += publisher.value.utf8
        bytes += middle
        bytes += payload
        bytes.append(closing)
        return bytes
    }

    /// Nil for anything that no instance of ours published.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: Self.opening) else { return nil }
        let place = bytes[Self.opening.count...].prefix { $0 != UInt8(ascii: "\"") }
        guard let deployment = DeploymentID(String(decoding: place, as: UTF8.self)),
            bytes[place.endIndex...].starts(with: Self.second)
        else { return nil }
        let rest = bytes[(place.endIndex + Self.second.count)...]
        let name = rest.prefix { $0 != UInt8(ascii: "\"") }
        let tail = rest[name.endIndex...]
        guard Self.instanceLengths.contains(name.count), name.allSatisfy(Self.mayName), tail.starts(with: Self.middle),
            tail.count > Self.middle.count + 1, tail.last == Self.closing
        else { return nil }
        self.deployment = deployment
        publisher = InstanceID(String(decoding: name, as: UTF8.self))
        payload = tail[(tail.startIndex + Self.middle.count)..<(tail.endIndex - 1)]
    }

    private static func mayName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
