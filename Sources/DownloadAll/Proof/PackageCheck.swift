import Bundle
import Kubespray
import Mirrors

/// Holds the packages that roles install against the repositories in a bundle.
struct PackageCheck {
  private let available: [String: Set<String>]
  /// What the packages provide beside their names, by release; `nil` where that is not known yet.
  private let provided: (String) -> Set<String>?
  private let folders: [String: String]

  private(set) var missing: [ClosureProof.Missing] = []
  private(set) var remarks: [String] = []
  private var seen: [String: Set<String>]

  /// - Parameter provided: What the repository in a folder provides; `nil` for one that is only planned.
  init(
    _ contents: BundleContents, _ targets: [PackageTargets.Choice],
    provided: @escaping (String) -> Set<String>?
  ) {
    self.provided = provided
    available = Dictionary(
      targets.map { ($0.target.name, contents.packages(in: $0.folder)) }, uniquingKeysWith: { $0.union($1) })
    folders = Dictionary(
      targets.map { ($0.target.name, $0.folder) }, uniquingKeysWith: { first, _ in first })
    seen = available.mapValues { _ in [] }
  }

  /// How many packages were looked for, by release.
  var counts: [String: Int] { seen.mapValues(\.count) }

  /// Checks what the cluster gets, or may get: the list of which the stage repo has made the repositories.
  mutating func check(_ packages: [CatalogPackage]) {
    for package in packages where package.state != .possible {
      let name = package.bareName
      seen[package.release, default: []].insert(name)
      let folder = folders[package.release] ?? ""
      guard let there = available[package.release], !Self.has(there, name),
        !(provided(folder)?.contains(name) ?? false)
      else { continue }
      // In the RPM world many names are those of what a package provides, which only its metadata tells.
      if provided(folder) == nil, folder.hasPrefix("rpms/") {
        remarks.append("Whether \(folder) has or provides \(name) is known when the repository is made.")
        continue
      }
      guard package.state == .needed else {
        let remark =
          "\(package.origin) may install \(name) on \(package.release); \(folder) does not have it."
        if !remarks.contains(remark) { remarks.append(remark) }
        continue
      }
      let found = ClosureProof.Missing(
        component: package.release, variable: package.origin, wanted: name,
        reason: "\(folder) has no package of that name. Add it to a list below pkglist/")
      if !missing.contains(found) { missing.append(found) }
    }
  }

  /// Whether a package of that name is there; dnf takes a version behind the name too.
  private static func has(_ names: Set<String>, _ wanted: String) -> Bool {
    if names.contains(wanted) { return true }
    return wanted.indices.contains { index in
      guard wanted[index] == "-", let next = wanted[index...].dropFirst().first, next.isNumber else {
        return false
      }
      return names.contains(String(wanted[..<index]))
    }
  }
}
