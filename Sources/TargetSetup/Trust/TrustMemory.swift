import Bundle
import Files
import FoundationEssentials
import SystemPackage

/// `trust.json`: what this host has taken. It only ever narrows what is taken next.
struct TrustMemory: Codable, Sendable, Equatable {
  /// Something that was taken because somebody said so.
  struct Exception: Codable, Sendable, Equatable {
    /// The option.
    let option: String
    /// The id of the bundle, if it has one.
    let bundle: String?
    /// When (ISO 8601, UTC).
    let time: String
  }

  /// The number of this format.
  var format = 1
  /// The highest sequence of a signed bundle; `nil` when none was taken yet.
  var sequence: Int64?
  /// The id of that bundle.
  var bundle: String?
  /// Who had signed it.
  var signers: [String] = []
  /// What was allowed, oldest first.
  var exceptions: [Exception] = []

  /// Reads the file; `nil` when there is none.
  ///
  /// - Throws: ``TrustError`` when it cannot be understood: a host does not forget because a file is damaged.
  static func read(_ path: FilePath) throws(TrustError) -> TrustMemory? {
    do {
      guard let bytes = try readBytes(ifPresent: path, limit: 16 << 20) else { return nil }
      let memory = try JSONDecoder().decode(TrustMemory.self, from: Data(bytes))
      guard memory.format == 1 else { throw TrustError.unusable(path, reason: "it has another format") }
      return memory
    } catch let error as TrustError {
      throw error
    } catch let error as FileError {
      throw .unusable(path, reason: "\(error.code)")
    } catch {
      throw .unusable(path, reason: "it is damaged")
    }
  }

  /// Takes a bundle.
  mutating func take(_ trust: BundleTrust) {
    if case .signed(let names) = trust.standing, (trust.sequence ?? 0) >= (sequence ?? 0) {
      sequence = trust.sequence ?? 0
      bundle = trust.bundle
      signers = names
    }
    for option in trust.neededOptions
    where !exceptions.contains(where: { $0.option == option && $0.bundle == trust.bundle }) {
      exceptions.append(
        Exception(option: option, bundle: trust.bundle, time: ManifestTime.text(secondsSince1970())))
    }
  }

  /// Writes the file, for its owner alone.
  ///
  /// - Throws: ``TrustError``.
  func write(to path: FilePath) throws(TrustError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      try createDirectories(path.removingLastComponent())
      try writeAtomically(
        Array(try encoder.encode(self)) + [UInt8(ascii: "\n")], to: path, permissions: .ownerReadWrite)
    } catch {
      throw .unusable(path, reason: FileError.reason(error))
    }
  }
}
