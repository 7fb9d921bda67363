import Archive
import Files
import SystemPackage

/// The names under which the packages of a repository in the bundle can be asked for, beside their own: what they
/// provide, as the repository's index tells.
enum ProvidedNames {
  /// - Parameter folder: The repository, `debs/...` or `rpms/...` in `outputs/`.
  /// - Throws: `Errno` or `ArchiveError`.
  static func read(_ folder: FilePath) throws -> Set<String> {
    let index = folder.appending("Packages")
    if let text = try readText(ifPresent: index) { return debian(text) }
    let metadata = folder.appending("repodata")
    let names = try listFolder(ifPresent: metadata)
    guard let primary = names.first(where: { $0.contains("primary.xml") }) else { return [] }
    var bytes: [UInt8] = []
    try ArchiveReader.decompress(metadata.appending(primary)) { bytes.append(contentsOf: $0) }
    return rpm(String(decoding: bytes, as: UTF8.self))
  }

  /// `Provides: awk, editor (= 1.0)` (Debian Policy, section 7.5).
  static func debian(_ packages: String) -> Set<String> {
    var names: Set<String> = []
    for line in packages.split(separator: "\n") where line.hasPrefix("Provides:") {
      for entry in line.dropFirst("Provides:".count).split(separator: ",") {
        let name = entry.drop { $0 == " " }.prefix { $0 != " " && $0 != "(" && $0 != ":" }
        names.insert(String(name))
      }
    }
    return names
  }

  /// `<rpm:provides><rpm:entry name="..."/></rpm:provides>` and `<file>...</file>` in the metadata that createrepo_c
  /// writes.
  static func rpm(_ primary: String) -> Set<String> {
    var names: Set<String> = []
    var rest = primary[...]
    while let start = rest.firstRange(of: "<rpm:provides>"),
      let end = rest[start.upperBound...].firstRange(of: "</rpm:provides>")
    {
      for entry in rest[start.upperBound..<end.lowerBound].split(separator: "name=\"").dropFirst() {
        names.insert(String(entry.prefix { $0 != "\"" }))
      }
      rest = rest[end.upperBound...]
    }
    for file in primary.split(separator: "<file>").dropFirst() {
      names.insert(String(file.prefix { $0 != "<" }))
    }
    return names
  }
}
