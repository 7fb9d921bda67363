import Glibc
import SystemPackage

/// Runs `body` with a fresh folder and removes it and everything in it afterwards.
func withTemporaryFolder<Result>(_ body: (FilePath) async throws -> Result) async throws -> Result {
  var template = Array("/tmp/archive-tests-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
  let folder = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
  defer { removeTree(folder) }
  return try await body(folder)
}

private func removeTree(_ path: FilePath) {
  for name in names(in: path).reversed() { remove(path.pushing(FilePath(name)).string) }
  remove(path.string)
}

/// The text of a file.
func text(of path: FilePath) throws -> String {
  let file = try FileDescriptor.open(path, .readOnly)
  defer { try? file.close() }
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
  return String(decoding: buffer[..<count], as: UTF8.self)
}

/// What `lstat` says; nil when there is nothing.
func status(of path: FilePath) -> stat? {
  var result = stat()
  return lstat(path.string, &result) == 0 ? result : nil
}

/// Everything below a folder, in the order of names.
func names(in folder: FilePath) -> [String] {
  var found: [String] = []
  func walk(_ path: FilePath, _ prefix: String) {
    guard let directory = opendir(path.string) else { return }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name != ".", name != ".." else { continue }
      found.append(prefix + name)
      if let status = status(of: path.appending(name)), status.st_mode & S_IFMT == S_IFDIR {
        walk(path.appending(name), prefix + name + "/")
      }
    }
  }
  walk(folder, "")
  return found.sorted()
}
