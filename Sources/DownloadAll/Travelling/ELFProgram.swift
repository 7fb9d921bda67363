import Files
import Host
import SystemPackage

/// A dynamically linked program of this machine: the loader that starts it, and the libraries that it is made of.
struct ELFProgram: Sendable, Equatable {
  /// A library, by the name under which it is looked for.
  struct Library: Sendable, Equatable {
    let name: String
    let path: FilePath
  }

  let path: FilePath
  /// The dynamic loader, which the program names itself.
  let loader: FilePath
  let libraries: [Library]

  /// Asks the loader which libraries it would take.
  ///
  /// - Throws: ``TravellingProgramError`` or ``Host/CommandError``.
  init(_ path: FilePath) async throws {
    self.path = path
    let interpreter = try Self.interpreter(of: path)
    // In a release the loader and the libraries lie beside the program, and this system need have none of them.
    let folder = path.removingLastComponent()
    let own = interpreter.lastComponent.map { folder.appending($0) }
    loader = own.flatMap { FileInfo(regularFile: $0) == nil ? nil : $0 } ?? interpreter
    let beside = loader == interpreter ? [] : ["--inhibit-cache", "--library-path", folder.string]
    let text = try await Command(
      loader.string, beside + ["--list", path.string], environment: ["LC_ALL": "C"]
    ).output()
    libraries = try Self.parse(text, of: path)
  }

  /// The program header that names the loader (ELF-64 object file format, `PT_INTERP`).
  ///
  /// - Throws: ``TravellingProgramError``.
  static func interpreter(of path: FilePath) throws -> FilePath {
    let header: [UInt8]
    do {
      // The headers of programs and the loader's name stand at the beginning.
      header = try readBeginning(path, count: 64 << 10)
    } catch {
      throw TravellingProgramError(path: path, reason: "it cannot be read: \(FileError.reason(error))")
    }
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, offset + size <= header.count else { return nil }
      return header[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    let isELF64 = header.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
    if isELF64, let table = number(32, 4), let size = number(54, 2), let count = number(56, 2) {
      for index in 0..<count where number(table + index * size, 4) == 3 {
        guard let start = number(table + index * size + 8, 4),
          let length = number(table + index * size + 32, 4),
          length > 1, start + length <= header.count
        else { break }
        return FilePath(String(decoding: header[start..<start + length - 1], as: UTF8.self))
      }
    }
    throw TravellingProgramError(path: path, reason: "it is not a dynamically linked program of this machine")
  }

  /// Reads what `ld.so --list` writes: `NAME => PATH (ADDRESS)`, or `PATH (ADDRESS)` for the loader, or a NAME that
  /// the kernel provides.
  ///
  /// - Throws: ``TravellingProgramError`` when a library is not found.
  static func parse(_ text: String, of program: FilePath) throws(TravellingProgramError) -> [Library] {
    var found: [Library] = []
    for line in text.split(whereSeparator: \.isNewline) {
      guard let arrow = line.firstRange(of: " => ") else { continue }
      let name = String(line[..<arrow.lowerBound].drop(while: \.isWhitespace))
      let rest = line[arrow.upperBound...]
      guard rest.hasPrefix("/"), let end = rest.firstRange(of: " (0x") else {
        throw TravellingProgramError(
          path: program, reason: "its library \(name) is not found on this machine")
      }
      // Some name the loader like a library; it goes along under its own name.
      guard !name.contains("/") else { continue }
      found.append(Library(name: name, path: FilePath(String(rest[..<end.lowerBound]))))
    }
    guard !found.isEmpty else {
      throw TravellingProgramError(path: program, reason: "the loader does not say which libraries it needs")
    }
    return found
  }
}
