import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// Asks dnf which packages are needed; see ``RPMSolverScript``.
struct RPMSolver: Sendable {
  /// What is asked; read by the script.
  private struct Request: Encodable {
    var root: String
    var configuration: String?
    var repositories: [String]
    var variables: [String]
    var keys: [String]
    var machine: String
    var version: String
    var wanted: [String]
    var optional: [String]
    var answer: String
  }

  /// What the script answers: packages, or one of the fields that tell why not.
  struct Answer: Decodable {
    /// A package of the closure.
    struct Package: Decodable {
      var name: String
      var version: String
      var release: String
      var arch: String
      var url: String
      var digest: Digest
      var size: Int64
      var isModular: Bool
      var buildTime: Int64
    }

    /// A repository that has a package of the closure.
    struct Repository: Decodable {
      var id: String
      var gpgcheck: Bool
      var keys: [String]
    }

    /// A repository that could not be used and did not have to be.
    struct Skipped: Decodable {
      var id: String
      var reason: String
    }

    var packages: [Package]?
    var repositories: [Repository]?
    var skipped: [Skipped]?
    var siblings: [String]?
    /// Why packages that need not be there are not.
    var left: [String: String]?
    var modules: String?
    var warnings: [String]?

    var missing: [String]?
    var unsolvable: String?
    var repository: String?
    var noRepository: String?
    var other: String?
  }

  let target: PackageTarget
  let architecture: Architecture
  let wanted: [WantedPackage]
  let sources: RPMSources
  /// The private folder of dnf: metadata, databases and logs.
  let root: FilePath

  /// The program that dnf is, which names its Python in the first line.
  static func findClient() throws(RPMRepositoryError) -> (script: FilePath, python: [String]) {
    // Where dnf 5 is the default, dnf 4 is called dnf-3 or dnf4.
    for name in ["dnf-3", "dnf4", "dnf"] {
      guard let path = findExecutable(name), let first = firstLine(of: path), first.hasPrefix("#!") else {
        continue
      }
      let words = first.dropFirst(2).split(separator: " ").map(String.init)
      if let program = words.first, program.contains("python") { return (path, words) }
    }
    throw .noSolver
  }

  /// Solves.
  ///
  /// - Parameter say: Called with what the script is doing.
  /// - Returns: An answer that has packages.
  /// - Throws: ``RPMRepositoryError`` or `CommandError`.
  func run(_ say: @escaping @Sendable (String) -> Void) async throws -> Answer {
    let python = try Self.findClient().python
    let lock: FileLock
    let script = root.appending("solve.py")
    let answerFile = root.appending("answer.json")
    do {
      try createDirectories(root)
      let root = root
      lock = try await offload { try FileLock(root.appending("lock"), waits: true) }
      try writeAtomically(RPMSolverScript.text, to: script)
      try? FileManager.default.removeItem(atPath: answerFile.string)
    } catch {
      throw RPMRepositoryError.cache(root, reason: "\(error)")
    }
    defer { withExtendedLifetime(lock) {} }
    let input = try JSONEncoder().encode(try request(answer: answerFile))
    // -I: neither this user's Python folders nor a virtual environment stand before the system's.
    let command = Command(
      python[0], python.dropFirst() + ["-I", script.string],
      environment: ["LC_ALL": "C.UTF-8", "LANGUAGE": nil], input: String(decoding: input, as: UTF8.self))
    let result = try await command.run { line in
      if line.hasPrefix("say: ") { say(String(line.dropFirst(5))) }
    }
    guard result.status == 0 else {
      throw RPMRepositoryError.solverFailed(
        CommandError.failed(command: "\(command)", result: result).description)
    }
    guard let data = FileManager.default.contents(atPath: answerFile.string) else {
      throw RPMRepositoryError.cache(answerFile, reason: "dnf wrote no answer")
    }
    do {
      return try checked(try JSONDecoder().decode(Answer.self, from: data))
    } catch let error as DecodingError {
      throw RPMRepositoryError.solverFailed("its answer cannot be read (\(error))")
    }
  }

  private func checked(_ answer: Answer) throws(RPMRepositoryError) -> Answer {
    if let missing = answer.missing {
      throw .unknownPackages(wanted.filter { $0.isRequired && missing.contains($0.name) }, target)
    }
    if let reason = answer.unsolvable { throw .unsolvable(reason, target) }
    if let reason = answer.repository { throw .repositoryFailed(hidingCredentials(reason)) }
    if let folders = answer.noRepository { throw .noRepositoryEnabled(folders) }
    if let reason = answer.other { throw .solverFailed(hidingCredentials(reason)) }
    return answer
  }

  private func request(answer: FilePath) throws(RPMRepositoryError) -> Request {
    let required = Set(wanted.filter(\.isRequired).map(\.name))
    return Request(
      root: absolute(root), configuration: sources.configuration?.string,
      repositories: try repositoryFolders().map(absolute), variables: sources.variables.map(absolute),
      keys: sources.keys.map(absolute), machine: architecture.machineName, version: target.version,
      wanted: required.sorted(), optional: Set(wanted.map(\.name)).subtracting(required).sorted(),
      answer: absolute(answer))
  }

  /// dnf reads folders only, so a single file is put into one of its own.
  private func repositoryFolders() throws(RPMRepositoryError) -> [FilePath] {
    guard let file = sources.file else { return sources.repositories }
    let folder = root.appending("repositories")
    do {
      guard let text = FileManager.default.contents(atPath: file.string) else {
        throw RPMRepositoryError.noRepositoryFile(file)
      }
      try createDirectories(folder)
      try writeAtomically(
        Array(text), to: folder.appending("sources.repo"), permissions: [.ownerReadWrite], isDurable: false)
    } catch let error as RPMRepositoryError {
      throw error
    } catch {
      throw .cache(folder, reason: "\(error)")
    }
    return [folder]
  }

  private func absolute(_ path: FilePath) -> String {
    path.isAbsolute
      ? path.string : FilePath(FileManager.default.currentDirectoryPath).pushing(path).string
  }

  private static func firstLine(of path: FilePath) -> String? {
    guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec]) else { return nil }
    defer { try? file.close() }
    var buffer = [UInt8](repeating: 0, count: 256)
    guard let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }) else { return nil }
    return String(decoding: buffer[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  }
}
