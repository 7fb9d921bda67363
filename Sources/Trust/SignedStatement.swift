/// Bytes that enough allowed signers have signed. A value of this type is the proof: there is no other way to make one.
public struct SignedStatement: Sendable {
  /// A signature that counts.
  public struct Signer: Hashable, Sendable {
    /// Which of the signatures given, from 0.
    public let signature: Int
    /// The line of the allowed signers that allows it.
    public let entry: AllowedSigners.Entry
  }

  /// A signature that does not count.
  public struct Refusal: Hashable, Sendable {
    /// Why a signature does not count.
    public enum Kind: Error, Hashable, Sendable {
      /// It cannot be read, is for another purpose, or does not hold for these bytes.
      case signature(SSHError)
      /// It holds, but its key may not sign this now.
      case signer(AllowedSigners.Refusal)
      /// It holds, but nobody touched the security key, so that a program may have made it unseen.
      case userNotPresent
    }

    /// Which of the signatures given, from 0.
    public let signature: Int
    /// The key that the signature claims to be of; nil when it cannot be read.
    public let key: SSHPublicKey?
    /// Why it does not count.
    public let kind: Kind
  }

  /// Exactly what was signed.
  public let bytes: [UInt8]
  /// The signatures that count.
  public let signers: [Signer]
  /// The signatures that do not count, to be shown: enough others do.
  public let refusals: [Refusal]

  /// Verifies signatures over bytes.
  ///
  /// Signers are counted as people: two signatures of one key, or of two keys whose principals may be the same
  /// person, are one. A signature that does not count does no harm beside enough that do. As `sshd` does, and unlike
  /// `ssh-keygen`, a signature of a security key counts only when somebody touched the key.
  ///
  /// - Parameters:
  ///   - bytes: What was signed.
  ///   - signatures: The contents of the `.sig` files.
  ///   - allowed: Who may sign.
  ///   - namespace: The purpose that the signatures must be for.
  ///   - time: When keys must be valid, in seconds since 1970.
  ///   - threshold: How many signers there must be, at least 1.
  /// - Throws: ``UnsignedStatement``.
  public init(
    _ bytes: [UInt8], signatures: [[UInt8]], allowed: AllowedSigners,
    namespace: String = SSHSignature.bundleNamespace, at time: Int64, threshold: Int = 1
  ) throws(UnsignedStatement) {
    var signers: [Signer] = []
    var refusals: [Refusal] = []
    for (index, armored) in signatures.enumerated() {
      var key: SSHPublicKey?
      do throws(Refusal.Kind) {
        let signature = try Self.parse(armored)
        key = signature.publicKey
        let entry = try Self.entry(for: signature, over: bytes, allowed, namespace, time)
        signers.append(Signer(signature: index, entry: entry))
      } catch {
        refusals.append(Refusal(signature: index, key: key, kind: error))
      }
    }
    let count = Self.distinctSigners(signers.map(\.entry.principalList))
    guard threshold >= 1, count >= threshold else {
      throw UnsignedStatement(signers: signers, refusals: refusals, distinct: count, threshold: threshold)
    }
    self.bytes = bytes
    self.signers = signers
    self.refusals = refusals
  }

  private static func parse(_ armored: [UInt8]) throws(Refusal.Kind) -> SSHSignature {
    do throws(SSHError) {
      return try SSHSignature(armored: armored)
    } catch {
      throw .signature(error)
    }
  }

  /// The line that makes a signature count.
  private static func entry(
    for signature: SSHSignature, over bytes: [UInt8], _ allowed: AllowedSigners, _ namespace: String,
    _ time: Int64
  ) throws(Refusal.Kind) -> AllowedSigners.Entry {
    do throws(SSHError) {
      try signature.verify(bytes, namespace: namespace)
    } catch {
      throw .signature(error)
    }
    let entry: AllowedSigners.Entry
    do throws(AllowedSigners.Refusal) {
      entry = try allowed.entry(for: signature.publicKey, namespace: namespace, at: time)
    } catch {
      throw .signer(error)
    }
    guard signature.securityKeyUse?.isUserPresent ?? true else { throw .userNotPresent }
    return entry
  }

  /// How many people there are at least. One key has one line here, so that its signatures are of one list.
  ///
  /// A list with patterns may be anybody it matches; single names are counted first, so that it takes none away.
  static func distinctSigners(_ principals: [PatternList]) -> Int {
    var counted: [PatternList] = []
    for list in principals.filter(\.isLiteral) + principals.filter({ !$0.isLiteral })
    where !counted.contains(where: list.overlaps) {
      counted.append(list)
    }
    return counted.count
  }
}

/// Why bytes do not count as signed.
public struct UnsignedStatement: Error, Hashable, Sendable, CustomStringConvertible {
  /// The signatures that count; they are too few.
  public let signers: [SignedStatement.Signer]
  /// The signatures that do not count.
  public let refusals: [SignedStatement.Refusal]
  /// How many different signers there are.
  public let distinct: Int
  /// How many there must be.
  public let threshold: Int

  /// A sentence for people.
  public var description: String {
    if threshold < 1 { return "\(threshold) is not a number of signers: at least one must sign" }
    if signers.isEmpty, refusals.isEmpty { return "there is no signature" }
    let reasons = refusals.map { refusal in
      "signature \(refusal.signature + 1)\(refusal.key.map { " of \($0)" } ?? ""): \(refusal.kind)"
    }
    return (["\(distinct) of \(threshold) signers have signed"] + reasons).joined(separator: "; ")
  }
}

extension SignedStatement.Refusal.Kind: CustomStringConvertible {
  /// A sentence for people.
  public var description: String {
    switch self {
    case .signature(let error): "\(error)"
    case .signer(let refusal): "\(refusal)"
    case .userNotPresent: "nobody touched the security key"
    }
  }
}
