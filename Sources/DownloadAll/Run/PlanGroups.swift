import Bundle
import Integrity

extension PlanReport {
  /// One file of the plan for people.
  public struct Row: Sendable, Equatable {
    /// Its path.
    public let path: String
    /// Its bytes; `nil` when nobody knows.
    public let size: Int64?
    /// Who vouches for it.
    public let verification: String
    /// `intact`, `changed`, `new` or `removed`.
    public let state: String
    /// Where it comes from.
    public let origin: String
  }

  /// The plan for people, file by file.
  public var fileRows: [Row] {
    artifacts.map { item in
      Row(
        path: item.path, size: item.size, verification: item.verification.summary,
        state: item.isWhole ? "intact" : item.isChanged ? "changed" : "new", origin: item.url ?? "-")
    } + removed.map { Row(path: $0.path, size: nil, verification: "-", state: "removed", origin: "-") }
  }

  /// One line of the plan for people: one part of the bundle.
  public struct Group: Sendable, Equatable {
    /// What kind of thing it is: `files`, `images`, `packages`, `python`, `program`, `settings`.
    public let kind: String
    /// Which of that kind.
    public let name: String
    /// How many files.
    public let count: Int
    /// The known bytes.
    public let size: Int64
    /// How many files have a size that nobody knows.
    public let unknown: Int
    /// Who vouches for them.
    public let verification: String
    /// What a run changes: `25 new`, `3 changed, 22 intact`.
    public let changes: String
    /// Where they come from.
    public let origin: String
  }

  /// The kinds, in the order in which they are shown.
  private enum Kind: String, CaseIterable {
    case files, images, packages, python, program, settings
  }

  /// The plan for people, by kind and name.
  public var groups: [Group] {
    var items: [Key: [Item]] = [:]
    for item in artifacts { items[key(of: item), default: []].append(item) }
    var gone: [Key: Int] = [:]
    for file in removed { gone[key(file.stage, file.path, isWritten: false), default: 0] += 1 }
    return Set(items.keys).union(gone.keys).sorted().map { key in
      group(key, items[key] ?? [], removed: gone[key] ?? 0)
    }
  }

  private struct Key: Hashable, Comparable {
    let kind: Kind
    let name: String

    static func < (left: Key, right: Key) -> Bool {
      let order = Kind.allCases
      guard left.kind == right.kind else {
        return (order.firstIndex(of: left.kind) ?? 0) < (order.firstIndex(of: right.kind) ?? 0)
      }
      return left.name < right.name
    }
  }

  private func group(_ key: Key, _ items: [Item], removed: Int) -> Group {
    let intact = items.count { $0.isWhole }
    let changed = items.count { $0.isChanged }
    let parts = [
      (items.count - intact - changed, "new"), (changed, "changed"), (intact, "intact"), (removed, "removed"),
    ]
    let hosts = Set(items.compactMap { $0.url.map(host) }).sorted()
    let verifications = Set(items.map(\.verification.summary)).sorted()
    return Group(
      kind: key.kind.rawValue, name: key.name, count: items.count, size: items.byteSum { $0.size ?? 0 },
      unknown: items.count { $0.size == nil },
      verification: verifications.isEmpty ? "-" : verifications.joined(separator: ", "),
      changes: parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", "),
      origin: hosts.isEmpty ? "-" : Self.few(hosts))
  }

  private static func few(_ hosts: [String]) -> String {
    hosts.count > 3
      ? hosts.prefix(2).joined(separator: ", ") + " and \(hosts.count - 2) more"
      : hosts.joined(separator: ", ")
  }

  private func key(of item: Item) -> Key {
    key(item.stage, item.path, isWritten: item.verification == .generated)
  }

  /// - Parameter isWritten: Whether this program writes it.
  private func key(_ stage: StageName, _ path: String, isWritten: Bool) -> Key {
    let segments = path.split(separator: "/").map(String.init)
    switch stage {
    case .images where segments.first == "images" && !isWritten:
      return Key(kind: .images, name: segments.last?.split(separator: "_").first.map(String.init) ?? path)
    case .repo where segments.count > 2:
      return Key(kind: .packages, name: segments.prefix(2).joined(separator: "/"))
    case .pypi where segments.count > 1: return Key(kind: .python, name: segments[0])
    case .scripts where segments.first == "lib" || path == "target-setup":
      return Key(kind: .program, name: "target-setup")
    case .files where !isWritten, .kubespray where !isWritten:
      return Key(kind: .files, name: Self.component(Array(segments.dropFirst())))
    default: return Key(kind: .settings, name: "scripts and lists")
    }
  }

  /// What a file below `files/` belongs to: its folder, or its own name without version and architecture.
  private static func component(_ segments: [String]) -> String {
    var folders = segments.dropLast()
    // Below their original addresses files lie in the folders of hosts, which tell nothing.
    guard let top = folders.first, !top.contains(".") else { return ownName(segments.last ?? "") }
    // Kubernetes' own programs lie by version, and what is released beside it in folders by name.
    if top == "kubernetes" { folders.removeFirst() }
    guard let name = folders.first, !isVersion(name) else {
      return top == "kubernetes" && folders.isEmpty ? ownName(segments.last ?? "") : top
    }
    return name
  }

  private static func ownName(_ file: String) -> String {
    var words: [Substring] = []
    for word in file.split(separator: "-") {
      guard !isVersion(String(word)) else { break }
      words.append(word.prefix { $0 != "." })
      if word.contains(".") { break }
    }
    return words.isEmpty ? file : words.joined(separator: "-")
  }

  private static func isVersion(_ text: String) -> Bool {
    let digits = text.hasPrefix("v") ? text.dropFirst() : text[...]
    return digits.first?.isNumber ?? false
  }

  private func host(_ url: String) -> String {
    (url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]).prefix { $0 != "/" }
      .split(separator: "@").last.map(String.init) ?? url
  }
}
