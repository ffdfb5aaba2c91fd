/// Which instance numbers a room: rendezvous hashing over the live instances.
///
/// Every instance with the same view names the same owner, and an instance that comes or goes moves its own rooms only.
/// The owner is a matter of speed, not of safety: unique indexes of the store keep numbers unique where views differ.
public struct RoomOwnership: Hashable, Sendable {
    private let instances: [InstanceID]

    /// - Parameter instances: the live instances; none where they are not known, so that every instance numbers for itself.
    public init(_ instances: some Sequence<InstanceID> = []) {
        self.instances = Set(instances).sorted { $0.value < $1.value }
    }

    /// The owner among the live instances, those in `excluded` apart; nil when none is left.
    public func owner(of room: RoomID, excluding excluded: (InstanceID) -> Bool = { _ in false }) -> InstanceID? {
        var best: (weight: UInt64, instance: InstanceID)?
        for instance in instances where !excluded(instance) {
            let weight = Self.weight(of: instance, for: room)
            if best.map({ weight > $0.weight }) ?? true { best = (weight, instance) }
        }
        return best?.instance
    }

    /// FNV-1a over both ids, then the finalizer of SplitMix64, because FNV's last bytes reach only the low bits.
    private static func weight(of instance: InstanceID, for room: RoomID) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        instance.value.utf8.forEach(mix)
        // No id holds a NUL, so it separates the two.
        mix(0)
        room.value.utf8.forEach(mix)
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }
}
