import Console
import Files
import SystemPackage

/// How far the bundle at hand is trusted, and what was allowed for it.
public struct BundleTrust: Sendable {
  /// What is known of who made it.
  enum Standing: Sendable, Equatable {
    /// Signed by those, as the allowed signers name them.
    case signed([String])
    /// There are no allowed signers to check it with.
    case notChecked(FilePath)
    /// Nobody who may has signed it, and that was allowed.
    case unsigned
    /// It has no manifest, and that was allowed.
    case shellBundle
    /// There is no finished bundle.
    case noBundle
  }

  var standing: Standing
  /// The id of its manifest.
  var bundle: String?
  /// The number of its manifest.
  var sequence: Int64?
  /// What it needed of what was said explicitly.
  var needed: TrustExceptions = []
  /// What this host has taken before because somebody said so.
  var earlier: [TrustMemory.Exception] = []
  /// Where it is written down.
  var state: FilePath?

  /// A sentence without a full stop.
  public var summary: String {
    switch standing {
    case .signed(let names): "the bundle is signed by \(names.joined(separator: " and "))"
    case .notChecked(let file): "the bundle is not checked against a key: there is no \(file)"
    case .unsigned: "the bundle is not signed by anybody who may, and is taken because of --allow-unsigned"
    case .shellBundle: "the bundle has no manifest, and is taken because of --shell-bundle"
    case .noBundle: "there is no finished bundle"
    }
  }

  /// Whether somebody who may has signed the bundle.
  var isSigned: Bool { if case .signed = standing { true } else { false } }

  /// How serious the summary is.
  public var level: MessageLevel {
    switch standing {
    case .signed, .notChecked, .noBundle: needed.isEmpty ? .info : .warning
    case .unsigned, .shellBundle: .warning
    }
  }

  /// The options without which the bundle would have been refused.
  var neededOptions: [String] { needed.options }

  /// What status shows: what there is now, and what was allowed before.
  public var lines: [String] {
    [summary]
      + (needed.contains(.older) ? ["it is older than the last one, or has expired (--allow-older)"] : [])
      + earlier.map { "\($0.option) was given on \($0.time) for bundle \($0.bundle ?? "without id")" }
  }

  /// Writes down what is taken, where that is not known yet.
  ///
  /// - Throws: ``TrustError`` when it cannot be written.
  func record() throws(TrustError) {
    guard let state, isSigned || !needed.isEmpty else { return }
    let before = try TrustMemory.read(state)
    var memory = before ?? TrustMemory()
    memory.take(self)
    if memory == before { return }
    try memory.write(to: state)
  }
}

extension BundleTrust: Encodable {
  private enum Key: String, CodingKey { case standing, signers, bundle, sequence, allowed, allowedBefore }

  /// Encodes what `status --json` shows.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let word =
      switch standing {
      case .signed: "signed"
      case .notChecked: "not-checked"
      case .unsigned: "unsigned"
      case .shellBundle: "shell-bundle"
      case .noBundle: "no-bundle"
      }
    try container.encode(word, forKey: .standing)
    if case .signed(let names) = standing { try container.encode(names, forKey: .signers) }
    try container.encodeIfPresent(bundle, forKey: .bundle)
    try container.encodeIfPresent(sequence, forKey: .sequence)
    try container.encode(neededOptions, forKey: .allowed)
    try container.encode(earlier, forKey: .allowedBefore)
  }
}

extension TrustExceptions {
  /// As they are typed.
  var options: [String] {
    let names: [(TrustExceptions, String)] = [
      (.unsigned, "--allow-unsigned"), (.older, "--allow-older"), (.shellBundle, "--shell-bundle"),
    ]
    return names.filter { contains($0.0) }.map(\.1)
  }
}
