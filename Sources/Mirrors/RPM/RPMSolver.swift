import Concurrency
import Files
import FoundationEssentials
import Host
import Integrity
import SystemPackage

/// Asks dnf which packages are needed; see `Python/solve.py`.
struct RPMSolver: Sendable {
  /// The script of ours, which uses dnf's own library, and its modules.
  static let scripts: KeyValuePairs = [
    "solve.py": PackageResources.solve_py, "rpm_modules.py": PackageResources.rpm_modules_py,
    "rpm_packages.py": PackageResources.rpm_packages_py,
  ]

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
  func run(_ say: @escaping @Sendable (String) -> Void) async throws -> SolverAnswer {
    let python = try Self.findClient().python
    let answerFile = root.appending("answer.json")
    do {
      try createDirectories(root)
      for (name, content) in Self.scripts { try writeAtomically(content, to: root.appending(name)) }
      try? removeFile(answerFile)
    } catch {
      throw RPMRepositoryError.cache(root, reason: "\(error)")
    }
    let input = try JSONEncoder().encode(try request(answer: answerFile))
    // -I: neither this user's Python folders nor a virtual environment stand before the system's.
    let command = Command(
      python[0], python.dropFirst() + ["-I", root.appending("solve.py").string],
      environment: ["LC_ALL": "C.UTF-8", "LANGUAGE": nil], input: String(decoding: input, as: UTF8.self))
    let result = try await command.run { line in
      if line.hasPrefix("say: ") { say(String(line.dropFirst(5))) }
    }
    guard result.status == 0 else {
      throw RPMRepositoryError.solverFailed(
        CommandError.failed(command: "\(command)", result: result).description)
    }
    guard let data = try? readBytes(answerFile) else {
      throw RPMRepositoryError.cache(answerFile, reason: "dnf wrote no answer")
    }
    do {
      return try checked(try JSONDecoder().decode(SolverAnswer.self, from: Data(data)))
    } catch let error as DecodingError {
      throw RPMRepositoryError.solverFailed("its answer cannot be read (\(error))")
    }
  }

  private func checked(_ answer: SolverAnswer) throws(RPMRepositoryError) -> SolverAnswer {
    if let missing = answer.missing {
      throw .unknownPackages(wanted.filter { $0.isRequired && missing.contains($0.name) }, target)
    }
    if let reason = answer.unsolvable { throw .unsolvable(reason, target) }
    if let reason = answer.repository { throw .repositoryFailed(hidingCredentials(reason)) }
    if let folders = answer.noRepository { throw .noRepositoryEnabled(folders) }
    if let reason = answer.other { throw .solverFailed(hidingCredentials(reason)) }
    return answer
  }

  private func request(answer: FilePath) throws(RPMRepositoryError) -> SolverRequest {
    let required = Set(wanted.filter(\.isRequired).map(\.name))
    return SolverRequest(
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
      guard let text = try? readBytes(file) else { throw RPMRepositoryError.noRepositoryFile(file) }
      try createDirectories(folder)
      try writeAtomically(
        text, to: folder.appending("sources.repo"), permissions: [.ownerReadWrite], isDurable: false)
    } catch let error as RPMRepositoryError {
      throw error
    } catch {
      throw .cache(folder, reason: "\(error)")
    }
    return [folder]
  }

  private func absolute(_ path: FilePath) -> String {
    ((try? currentFolder())?.pushing(path) ?? path).string
  }

  private static func firstLine(of path: FilePath) -> String? {
    (try? readBeginning(path, count: 256)).map {
      String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
  }
}
