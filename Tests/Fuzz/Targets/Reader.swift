import Files
import SystemPackage

/// What reads bytes from outside: how it is given them, and what must hold whatever they are.
struct Reader: Sendable {
  /// Its name on the command line, and that of its folder of the corpus.
  let name: String
  /// Reads the bytes. That they are refused is not an error: it throws ``Broken``, or an error of the preparation.
  private let read: @Sendable (_ bytes: [UInt8], _ folder: FilePath) throws -> Void
  /// Whether it wants a folder.
  private let writes: Bool

  private init(
    _ name: String, writes: Bool, _ read: @escaping @Sendable ([UInt8], FilePath) throws -> Void
  ) {
    self.name = name
    self.writes = writes
    self.read = read
  }

  /// Of bytes.
  init(_ name: String, _ read: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.init(name, writes: false) { bytes, _ in try read(bytes) }
  }

  /// Of a text; bytes that are not UTF-8 are replaced, as the readers of texts do it.
  init(text name: String, _ read: @escaping @Sendable (String) throws -> Void) {
    self.init(name) { try read(String(decoding: $0, as: UTF8.self)) }
  }

  /// Of a file, beside which it may write.
  init(file name: String, _ read: @escaping @Sendable (FilePath) throws -> Void) {
    self.init(name, writes: true) { bytes, folder in
      let file = folder.appending("input")
      try writeAtomically(bytes, to: file)
      try read(file)
    }
  }

  /// All of them.
  static let all =
    archiveReaders + imageReaders + registryReaders + bundleReaders + transferReaders + textReaders
    + signatureReaders + packageReaders + hostReaders + listReaders + supplyReaders

  /// Gives it the bytes in a folder of its own, and makes sure that nothing else was written.
  ///
  /// - Throws: ``Broken``, or an error of the preparation.
  func run(_ bytes: [UInt8]) throws {
    guard writes else { return try read(bytes, ".") }
    let place: FilePath = folderExists("/dev/shm") ? "/dev/shm" : systemTemporaryFolder
    try withTemporaryFolder(in: place, named: "fuzz") { around in
      let folder = around.appending("inside")
      try createDirectories(folder, isDurable: false)
      try read(bytes, folder)
      try hold(try listFolder(around) == ["inside"], "nothing is written outside of its folder")
    }
  }
}

/// A promise that a reader has not kept.
struct Broken: Error, CustomStringConvertible {
  let description: String
}

/// Makes sure that a promise is kept.
///
/// - Throws: ``Broken``.
func hold(_ isKept: @autoclosure () throws -> Bool, _ promise: String) throws {
  guard try isKept() else { throw Broken(description: "not kept: \(promise)") }
}

/// Makes sure that what was written is read, and says the same.
///
/// - Throws: ``Broken``.
func holdReading<Value: Equatable>(
  of value: Value, _ text: String, _ read: (String) throws -> Value
) throws {
  let again = try? read(text)
  try hold(again == value, "what was read and is written reads the same: \(text.debugDescription)")
}

/// The parts between bytes that are zero.
func parts(_ bytes: [UInt8]) -> [[UInt8]] {
  bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
}
