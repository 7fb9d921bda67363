import Bundle
import Integrity
import Kubespray

extension BundleLock {
  /// Everything that it pins: what people call it, and the pin.
  private var pins: [String: String] {
    var pins: [String: String] = [
      "kubespray.version": kubespray, "platforms": platforms.joined(separator: " "),
      "kubespray's source": "\(source.origin) \(source.sha256) tree \(source.tree)",
    ]
    if let commit = source.commit { pins["kubespray's commit"] = commit }
    for file in files { pins[file.path.description] = "\(file.url) \(file.sha256)" }
    for image in images {
      pins["image \(image.reference)"] = image.digest.description
      guard let attached = image.attached, !attached.isEmpty else { continue }
      pins["what is about image \(image.reference)"] = attached.map(\.digest.description).joined(
        separator: " ")
    }
    for chart in charts {
      pins["chart \(chart.repository)/\(chart.name) \(chart.version)"] =
        "\(chart.listing.url) \(chart.sha256)"
    }
    for (folder, mirror) in mirrors {
      pins["what is asked for \(folder)"] = mirror.asked.joined(separator: ", ")
      for file in mirror.files { pins["\(folder)/\(file.path)"] = "\(file.url) \(file.sha256)" }
    }
    for package in ansible?.packages ?? [] {
      pins["Ansible's \(package.name)"] = "\(package.version) \(package.sha256)"
    }
    return pins
  }

  /// What another run has found differently, a line each.
  func differences(from found: BundleLock) -> [String] {
    let (ours, theirs) = (pins, found.pins)
    return Set(ours.keys).union(theirs.keys).sorted().compactMap { name in
      switch (ours[name], theirs[name]) {
      case (let pin?, let other?):
        pin == other ? nil : "\(name): the lock has \(pin), and now it is \(other)"
      case (let pin?, nil): "\(name): the lock has \(pin), and now there is none"
      case (nil, let other?): "\(name): it is not in the lock, and now it is \(other)"
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
