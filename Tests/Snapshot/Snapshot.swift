import Foundation

/// A text that is kept beside a test and compared as text: what people see changes only on purpose.
public enum Snapshot {
  /// How a text differs from the one in `Snapshots/NAME.txt` beside the test; `nil` when it does not.
  ///
  /// With `UPDATE_SNAPSHOTS=1` in the environment the file is written instead; what changed is then seen in `git diff`.
  /// - Parameters:
  ///   - text: The text as it is now.
  ///   - name: The name of the file, without its ending.
  ///   - test: The file of the test.
  /// - Throws: An error when the file cannot be written.
  public static func difference(_ text: String, _ name: String, of test: String = #filePath) throws -> String?
  {
    let file = URL(filePath: test).deletingLastPathComponent().appending(path: "Snapshots/\(name).txt")
    if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] != nil {
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
      return nil
    }
    guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
      return "there is no snapshot \(file.path). UPDATE_SNAPSHOTS=1 writes it."
    }
    guard expected != text else { return nil }
    return "\(name) is not what \(file.path) says. UPDATE_SNAPSHOTS=1 accepts it.\n"
      + changes(from: expected, to: text)
  }

  /// The lines that are gone and those that are new, with their numbers.
  private static func changes(from old: String, to new: String) -> String {
    let old = old.split(separator: "\n", omittingEmptySubsequences: false)
    let new = new.split(separator: "\n", omittingEmptySubsequences: false)
    return new.difference(from: old).map { change in
      switch change {
      case .remove(let offset, let line, _): "-\(offset + 1): \(line)"
      case .insert(let offset, let line, _): "+\(offset + 1): \(line)"
      }
    }
    .joined(separator: "\n")
  }
}
