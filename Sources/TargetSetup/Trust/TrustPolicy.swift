import Bundle
import Files
import SystemPackage
import Trust

/// What somebody has said explicitly that this host takes.
public struct TrustExceptions: OptionSet, Sendable {
  /// One bit for each.
  public let rawValue: Int

  /// Those of these bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// A bundle that nobody who may has signed.
  public static let unsigned = TrustExceptions(rawValue: 1)
  /// A bundle that is older than the last one, or whose statement has ended.
  public static let older = TrustExceptions(rawValue: 2)
  /// A bundle of the shell project, which has no manifest.
  public static let shellBundle = TrustExceptions(rawValue: 4)
}

/// Which bundles this host takes. The keys lie on the host and never on the medium, and what was taken once makes the
/// policy narrower: a host that has taken a signed bundle takes no unsigned and no older one, unless that is said.
public struct TrustPolicy: Sendable {
  /// Where the keys that may sign are pinned.
  public static let defaultSigners: FilePath = "/etc/kubespray-offline/allowed_signers"
  /// Where it is written down what was taken: whatever settings the bundle brings.
  static let defaultState: FilePath = "/var/lib/kubespray-offline/trust.json"

  private let signers: FilePath
  private let isNamed: Bool
  private let state: FilePath
  private let exceptions: TrustExceptions
  private let time: Int64

  /// The policy of this host.
  ///
  /// - Parameters:
  ///   - signers: The allowed signers, if they are not those of ``defaultSigners``; the file must exist then.
  ///   - exceptions: What is taken although the policy would refuse it.
  public init(signers: FilePath? = nil, exceptions: TrustExceptions = []) {
    self.init(
      signers: signers ?? Self.defaultSigners, isNamed: signers != nil, state: Self.defaultState,
      exceptions: exceptions, time: secondsSince1970())
  }

  /// A policy with files elsewhere, at a time in seconds since 1970.
  init(
    signers: FilePath, isNamed: Bool = false, state: FilePath, exceptions: TrustExceptions = [], time: Int64
  ) {
    self.signers = signers
    self.isNamed = isNamed
    self.state = state
    self.exceptions = exceptions
    self.time = time
  }

  /// Decides about the bundle in a folder. Its manifest is read once: what is decoded is what was verified.
  ///
  /// - Parameter isShellBundle: Whether a folder without a manifest has the marks of the shell project.
  /// - Returns: The manifest, `nil` where there is none, and how far the bundle is trusted.
  /// - Throws: ``TrustError``, or `ManifestError`.
  func admit(
    _ folder: FilePath, isShellBundle: () throws -> Bool
  ) throws -> (manifest: Manifest?, trust: BundleTrust) {
    if let (_, manifest, trust) = try statement(in: folder) { return (manifest, trust) }
    return (nil, try withoutManifest(folder, try TrustMemory.read(state), try isShellBundle()))
  }

  /// Decides about the manifest in a folder, which is read once.
  ///
  /// - Returns: The bytes that were decided about, what they say, and how far they are trusted; `nil` when there are none.
  /// - Throws: ``TrustError``, or `ManifestError`.
  func statement(
    in folder: FilePath
  ) throws -> (bytes: [UInt8], manifest: Manifest, trust: BundleTrust)? {
    let memory = try TrustMemory.read(state)
    guard let bytes = try read(Manifest.fileName, in: folder, limit: Manifest.largestFile) else { return nil }
    var trust = BundleTrust(standing: .notChecked(signers))
    trust.state = state
    trust.earlier = memory?.exceptions ?? []
    // Nothing in the bytes is understood before it is known whose they are.
    try checkSignatures(bytes, folder, memory, &trust)
    let manifest = try Manifest(decoding: bytes, from: folder.appending(Manifest.fileName))
    (trust.bundle, trust.sequence) = (manifest.id, manifest.sequence)
    try checkAge(manifest, folder, memory, &trust)
    return (bytes, manifest, trust)
  }

  private func withoutManifest(
    _ folder: FilePath, _ memory: TrustMemory?, _ isShellBundle: Bool
  ) throws(TrustError) -> BundleTrust {
    var trust = BundleTrust(standing: isShellBundle ? .shellBundle : .noBundle)
    trust.state = state
    trust.earlier = memory?.exceptions ?? []
    guard isShellBundle else { return trust }
    guard exceptions.contains(.shellBundle) else { throw .noManifest(folder) }
    trust.needed.insert(.shellBundle)
    return trust
  }

  private func checkSignatures(
    _ bytes: [UInt8], _ folder: FilePath, _ memory: TrustMemory?, _ trust: inout BundleTrust
  ) throws {
    guard let allowed = try allowedSigners() else {
      guard let taken = memory?.sequence else { return }
      // Without the keys nothing tells a signed bundle from another.
      guard exceptions.contains(.unsigned) else { throw TrustError.signersGone(signers, taken: taken) }
      trust.needed.insert(.unsigned)
      return
    }
    let signatures = try Manifest.signatureFileNames.compactMap {
      try read($0, in: folder, limit: Manifest.largestSignature)
    }
    do throws(UnsignedStatement) {
      let statement = try SignedStatement(
        bytes, signatures: signatures, allowed: allowed, at: time, threshold: try threshold())
      trust.standing = .signed(statement.signers.map(\.entry.principals))
    } catch {
      guard exceptions.contains(.unsigned) else {
        throw TrustError.unsigned(folder, reason: "\(error)", signers: signers)
      }
      trust.standing = .unsigned
      trust.needed.insert(.unsigned)
    }
  }

  private func checkAge(
    _ manifest: Manifest, _ folder: FilePath, _ memory: TrustMemory?, _ trust: inout BundleTrust
  ) throws(TrustError) {
    var problem: TrustError?
    if let taken = memory?.sequence, manifest.sequence ?? 0 < taken {
      problem = .older(folder, sequence: manifest.sequence, taken: taken)
    } else if manifest.hasExpired(at: time) {
      problem = .expired(folder, end: manifest.expires ?? "")
    }
    guard let problem else { return }
    guard exceptions.contains(.older) else { throw problem }
    trust.needed.insert(.older)
  }

  // MARK: Files

  private func allowedSigners() throws -> AllowedSigners? {
    do {
      guard let bytes = try readBytes(ifPresent: signers, limit: 1 << 20) else {
        if isNamed { throw FileError(.read, signers, .noSuchFileOrDirectory) }
        return nil
      }
      return try AllowedSigners(bytes)
    } catch {
      throw TrustError.unusable(signers, reason: FileError.reason(error))
    }
  }

  /// How many signers there must be: a file beside the keys says so, for every program that checks them.
  private func threshold() throws(UnsignedStatement) -> Int {
    let file = signers.removingLastComponent().appending("threshold")
    guard fileExists(file) else { return 1 }
    let text = (try? readText(file, limit: 64))?.split(whereSeparator: \.isWhitespace).first
    // What is not a number is refused as a statement that nobody could sign.
    return text.flatMap { Int($0) } ?? .max
  }

  private func read(_ name: String, in folder: FilePath, limit: Int) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    // Memory that grows holds all bytes twice for a moment; that a size may be a lie costs nothing.
    let size = (try? FileInfo(folder.appending(name)))?.size ?? 0
    bytes.reserveCapacity(Int(min(max(0, size), Int64(limit))))
    do {
      try readFile(FilePath(name), beneath: folder) { piece in
        guard piece.count <= limit - bytes.count else {
          throw FileError(.read, folder.appending(name), .fileTooLarge)
        }
        bytes.append(contentsOf: piece)
      }
    } catch let error as FileError {
      if error.code == .noSuchFileOrDirectory { return nil }
      throw TrustError.unusable(folder.appending(name), reason: "\(error.code)")
    }
    return bytes
  }
}
