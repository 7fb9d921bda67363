import Bundle
import Files
import FoundationEssentials
import SystemPackage
import Trust

/// What is to be said of one signature of a bundle.
public struct SignatureReport: Sendable, Encodable, Equatable {
  /// The signature's file in `outputs/`.
  public let file: String
  /// The fingerprint of the key that it claims to be of; absent when it cannot be read.
  public let key: String?
  /// The names that the allowed signers give the key; absent when it is not among them, or was not looked for.
  public let signer: String?
  /// Why it does not count; absent for one that holds.
  public let problem: String?
}

/// The signatures of a bundle, checked over the bytes of its manifest.
struct SignatureCheck {
  private(set) var reports: [SignatureReport]
  /// Why the bundle does not count as signed by an allowed signer; `nil` when it does, or nobody was asked for.
  private(set) var refusal: String?

  /// Checks each signature.
  ///
  /// - Parameter allowed: Who may sign; `nil` checks only whether each signature holds.
  init(_ bytes: [UInt8], _ signatures: [BundleSignature], allowed: AllowedSigners?) {
    guard let allowed else {
      reports = signatures.map { Self.report($0, over: bytes) }
      return
    }
    let signers: [SignedStatement.Signer]
    let refusals: [SignedStatement.Refusal]
    do throws(UnsignedStatement) {
      let statement = try SignedStatement(
        bytes, signatures: signatures.map(\.bytes), allowed: allowed,
        at: Int64(Date.now.timeIntervalSince1970))
      (signers, refusals) = (statement.signers, statement.refusals)
    } catch {
      (signers, refusals) = (error.signers, error.refusals)
      refusal = "\(error)"
    }
    reports = signatures.enumerated().map { index, signature in
      let signer = signers.first { $0.signature == index }
      let refused = refusals.first { $0.signature == index }
      return SignatureReport(
        file: signature.name, key: (signer?.entry.key ?? refused?.key)?.fingerprint,
        signer: signer?.entry.principals, problem: refused.map { "\($0.kind)" })
    }
  }

  private static func report(_ signature: BundleSignature, over bytes: [UInt8]) -> SignatureReport {
    var key: SSHPublicKey?
    do throws(SSHError) {
      let parsed = try SSHSignature(armored: signature.bytes)
      key = parsed.publicKey
      try parsed.verify(bytes, namespace: SSHSignature.bundleNamespace)
      return SignatureReport(file: signature.name, key: key?.fingerprint, signer: nil, problem: nil)
    } catch {
      return SignatureReport(file: signature.name, key: key?.fingerprint, signer: nil, problem: "\(error)")
    }
  }

  /// The fingerprints of the keys whose signatures over a bundle's manifest hold, whoever has them.
  ///
  /// - Throws: `FileError`.
  static func signers(of outputs: FilePath) throws -> [String] {
    let bytes = try readBytes(outputs.appending(Manifest.fileName), limit: Manifest.largestFile)
    let check = SignatureCheck(bytes, try Manifest.signatures(in: outputs), allowed: nil)
    return check.reports.filter { $0.problem == nil }.compactMap(\.key)
  }
}

/// A file of allowed signers that cannot be used.
public struct AllowedSignersUnusable: Error, CustomStringConvertible {
  /// The file.
  public let path: FilePath
  /// What is wrong with it.
  public let reason: String

  /// A sentence for people.
  public var description: String { "\(path): \(reason)" }
}

extension AllowedSigners {
  /// Reads a file.
  ///
  /// - Throws: ``AllowedSignersUnusable``.
  init(reading path: FilePath) throws(AllowedSignersUnusable) {
    do {
      try self.init(try readBytes(path, limit: 1 << 20))
    } catch let error as AllowedSignersError {
      throw AllowedSignersUnusable(path: path, reason: "\(error)")
    } catch {
      throw AllowedSignersUnusable(path: path, reason: "it cannot be read: \(FileError.reason(error))")
    }
  }
}
