import Bundle
import Files
import Integrity
import Kubespray

/// What a lock says of one thing, in the parts of which a person is told when another run has found it otherwise.
private enum Pin: Equatable {
  /// A version, a commit, a digest.
  case text(String)
  /// A file: where it comes from, and what is in it.
  case file(String, Digest)
  /// Many things of which mostly few differ.
  case list([String])

  /// How many of a list are shown.
  private static let shown = 3

  /// In a few words.
  var words: String {
    switch self {
    case .text(let text): text
    case .file(_, let digest): Self.short(digest)
    case .list(let items): "\(counted(items.count, "thing")): \(Self.some(items))"
    }
  }

  /// How another one differs.
  func difference(from other: Pin) -> String {
    switch (self, other) {
    case (.file(let url, let digest), .file(let now, let found)) where digest == found:
      "the lock has \(url), and now the same comes from \(now)"
    case (.file(let url, _), .file(let now, _)) where url != now:
      "the lock has \(words) of \(url), and now it is \(other.words) of \(now)"
    case (.file(let url, _), .file): "the lock has \(words), and now \(url) is \(other.words)"
    case (.list(let items), .list(let found)): Self.difference(items, found)
    default: "the lock has \(words), and now it is \(other.words)"
    }
  }

  private static func difference(_ items: [String], _ found: [String]) -> String {
    let (new, gone) = (found.filter { !items.contains($0) }, items.filter { !found.contains($0) })
    let parts =
      (new.isEmpty ? [] : ["new is \(some(new))"])
      + (gone.isEmpty ? [] : ["no longer there is \(some(gone))"])
    return parts.isEmpty ? "the order is another one" : parts.joined(separator: "; ")
  }

  private static func some(_ items: [String]) -> String {
    let rest = items.count > shown ? " and \(items.count - shown) more" : ""
    return items.prefix(shown).joined(separator: ", ") + rest
  }

  /// As much of a digest as tells it from others; all of it is in the lock and in bundle.json.
  static func short(_ digest: Digest) -> String {
    "\(digest.algorithm.rawValue):\(digest.hex.prefix(12))..."
  }
}

extension BundleLock {
  /// Everything that it pins, by what people call it.
  private var pins: [String: Pin] {
    var pins: [String: Pin] = [
      "kubespray.version": .text(kubespray), "platforms": .text(platforms.joined(separator: " ")),
      "kubespray's source": .file(source.origin, source.sha256),
      "kubespray's files (git tree)": .text(Pin.short(source.tree)),
    ]
    if let commit = source.commit { pins["kubespray's commit"] = .text(commit) }
    for file in files { pins[file.path.description] = .file(file.url, file.sha256) }
    for image in images {
      pins["image \(image.reference)"] = .text(Pin.short(image.digest))
      if let base = image.base {
        pins["base of image \(image.reference)"] = .file("\(base.reference)", base.digest)
      }
      guard let attached = image.attached, !attached.isEmpty else { continue }
      pins["what is about image \(image.reference)"] = .list(attached.map { Pin.short($0.digest) })
    }
    for chart in charts {
      pins["chart \(chart.repository)/\(chart.name) \(chart.version)"] = .file(
        chart.listing.url, chart.sha256)
    }
    for (folder, mirror) in mirrors {
      pins["what is asked for \(folder)"] = .list(mirror.asked)
      for file in mirror.files { pins["\(folder)/\(file.path)"] = .file(file.url, file.sha256) }
    }
    for package in ansible?.packages ?? [] {
      pins["Ansible's \(package.name)"] = .text("\(package.version) (\(Pin.short(package.sha256)))")
    }
    return pins
  }

  /// What another run has found differently, a line each.
  func differences(from found: BundleLock) -> [String] {
    let (ours, theirs) = (pins, found.pins)
    return Set(ours.keys).union(theirs.keys).sorted().compactMap { name in
      switch (ours[name], theirs[name]) {
      case (let pin?, let other?):
        pin == other ? nil : "\(name): \(pin.difference(from: other))"
      case (let pin?, nil): "\(name): the lock has \(pin.words), and now there is none"
      case (nil, let other?): "\(name): it is not in the lock, and now it is \(other.words)"
      case (nil, nil): nil
      }
    }
  }
}

/// Settings, or what upstream has, that the lock does not allow.
struct LockContradicted: Error, CustomStringConvertible {
  /// What is meant.
  enum Cause {
    /// The settings ask for something else.
    case settings
    /// Upstream has something else, or nothing.
    case upstream
  }

  let cause: Cause
  /// What differs, a line each.
  let lines: [String]

  /// How many are shown.
  private static let shown = 20

  var description: String {
    let title =
      cause == .settings
      ? "these settings ask for another bundle than the lock" : "this is not the bundle of the lock"
    let rest = lines.count > Self.shown ? ["  and \(lines.count - Self.shown) more"] : []
    return "\(title):\n" + (lines.prefix(Self.shown).map { "  \($0)" } + rest).joined(separator: "\n")
  }
}
