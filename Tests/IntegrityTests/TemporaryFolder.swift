import FoundationEssentials
import Glibc
import Integrity
import SystemPackage

/// A fresh folder that is removed with everything in it when the test is over.
final class TemporaryFolder: Sendable {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/integrity-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Errno(rawValue: errno) }
    path = FilePath(String(cString: made))
  }

  deinit { try? FileManager.default.removeItem(atPath: path.string) }

  /// The text of a file; nil when it cannot be read.
  func text(_ name: String) -> String? {
    var bytes: [UInt8] = []
    guard (try? readFile(path.appending(name)) { bytes.append(contentsOf: $0) }) != nil else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The names in the folder.
  var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []).sorted() }
}

/// Makes a symbolic link.
func link(_ target: String, at path: FilePath) throws {
  guard symlink(target, path.string) == 0 else { throw Errno(rawValue: errno) }
}

/// The id of the process that runs the tests.
var ownProcess: Int32 { getpid() }
