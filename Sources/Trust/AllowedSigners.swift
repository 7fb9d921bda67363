/// Who may sign, in OpenSSH's allowed signers format.
///
/// Source: ssh-keygen(1), ALLOWED SIGNERS: lines of principals, options, key type, base64. Stricter than `ssh-keygen`,
/// which goes on behind a line that it cannot read: a file with an error is refused, so that nobody is left out by a
/// typing mistake, or let in by one. Certificate authorities and keys other than Ed25519 are refused too.
public struct AllowedSigners: Sendable {
  /// One line.
  public struct Entry: Hashable, Sendable {
    /// The number of the line, from 1.
    public let line: Int
    let principalList: PatternList
    /// The key that the principals sign with.
    public let key: SSHPublicKey
    let namespaceList: PatternList?
    /// From when on the key is good, in seconds since 1970.
    public let validAfter: Int64?
    /// Until when the key is good, that second included, in seconds since 1970.
    public let validBefore: Int64?

    /// The names or patterns of names as they stand in the file.
    public var principals: String { principalList.text }
    /// The patterns of purposes as they stand in the file; nil allows every purpose.
    public var namespaces: String? { namespaceList?.text }

    /// Whether the line is for a principal, as the argument of `ssh-keygen -I` is compared.
    public func isFor(principal: String) -> Bool { principalList.matches(principal) }
  }

  /// Why a key may not sign. Lines are numbered from 1, times are in seconds since 1970.
  public enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// No line has the key.
    case unknownKey
    /// The line has the key for other purposes.
    case otherNamespaces(line: Int, namespaces: String)
    /// The key is not good yet.
    case notYetValid(line: Int, from: Int64)
    /// The key is no longer good.
    case expired(line: Int, until: Int64)

    /// A sentence for people.
    public var description: String {
      switch self {
      case .unknownKey: "the key is not among the allowed signers"
      case .otherNamespaces(let line, let namespaces):
        "line \(line) of the allowed signers has the key for \"\(namespaces)\" only"
      case .notYetValid(let line, _): "line \(line) of the allowed signers has a key that is not valid yet"
      case .expired(let line, _): "line \(line) of the allowed signers has a key that has expired"
      }
    }
  }

  /// The lines in their order.
  public let entries: [Entry]

  /// The most bytes that are read.
  static let limit = 1 << 20

  /// Parses the content of a file.
  ///
  /// - Throws: ``AllowedSignersError``.
  public init(_ content: [UInt8]) throws(AllowedSignersError) {
    guard content.count <= Self.limit else { throw AllowedSignersError(line: nil, reason: .tooLong) }
    var entries: [Entry] = []
    let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      do throws(AllowedSignersError.Reason) {
        if let entry = try Entry(line, number: index + 1) { entries.append(entry) }
      } catch {
        throw AllowedSignersError(line: index + 1, reason: error)
      }
    }
    self.entries = entries
  }

  /// The line by which a key may sign: the first that allows it, as for `ssh-keygen -Y find-principals`.
  ///
  /// - Parameters:
  ///   - key: The key that signed.
  ///   - principal: The name that must be on the line; nil takes whoever has the key.
  ///   - namespace: What the signature is for; a line without namespaces allows any.
  ///   - time: When, in seconds since 1970.
  /// - Throws: ``Refusal``, that of the first line with the key.
  public func entry(
    for key: SSHPublicKey, principal: String? = nil, namespace: String, at time: Int64
  ) throws(Refusal) -> Entry {
    var first: Refusal?
    for entry in entries where entry.key == key && principal.map(entry.isFor) ?? true {
      guard let refusal = entry.refusal(namespace: namespace, at: time) else { return entry }
      first = first ?? refusal
    }
    throw first ?? .unknownKey
  }
}

extension AllowedSigners.Entry {
  fileprivate func refusal(namespace: String, at time: Int64) -> AllowedSigners.Refusal? {
    if let namespaceList, !namespaceList.matches(namespace) {
      return .otherNamespaces(line: line, namespaces: namespaceList.text)
    }
    if let validAfter, time < validAfter { return .notYetValid(line: line, from: validAfter) }
    if let validBefore, time > validBefore { return .expired(line: line, until: validBefore) }
    return nil
  }
}
