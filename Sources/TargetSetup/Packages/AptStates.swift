import Files
import Host
import SystemPackage

/// What apt writes down of packages that came because others need them: a paragraph each, in `extended_states`. dpkg, which
/// removes them again, knows nothing of that file.
enum AptStates {
  static let file: FilePath = "/var/lib/apt/extended_states"

  /// Removes the paragraphs of packages, and a file in which no other is left: apt makes it when it needs it.
  ///
  /// - Throws: `FileError`.
  static func forget(_ names: Set<String>, on host: TargetHost) throws {
    let place = host.path(file)
    guard let text = try readBytes(ifPresent: place).map({ String(decoding: $0, as: UTF8.self) }) else {
      return
    }
    let kept = without(names, text)
    guard kept != text else { return }
    if kept.isEmpty {
      try removeFile(place)
    } else {
      try writeAtomically(kept, to: place, permissions: try FileInfo(place).permissions)
    }
  }

  /// The paragraphs of other packages, byte for byte.
  static func without(_ names: Set<String>, _ text: String) -> String {
    text.split(separator: "\n\n", omittingEmptySubsequences: false).filter { paragraph in
      !paragraph.split(separator: "\n").contains { line in
        line.hasPrefix("Package:")
          && names.contains(String(line.dropFirst("Package:".count).drop { $0 == " " }))
      }
    }.joined(separator: "\n\n")
  }
}
