import Files
import FoundationEssentials
import Synchronization
import SystemPackage

/// The credentials that this machine has for registries.
///
/// In this order; the first that has something for a registry is used:
/// 1. `REGISTRY_USER_HOST` and `REGISTRY_PASSWORD_HOST`, HOST being the registry's host and port in upper case with
///    every other character than letters and digits as `_`: `REGISTRY_USER_DOCKER_IO`,
///    `REGISTRY_PASSWORD_LOCALHOST_5000`.
/// 2. The file that `REGISTRY_AUTH_FILE` names; no further file is then read.
/// 3. `$XDG_RUNTIME_DIR/containers/auth.json` (`/run/containers/UID/auth.json` without that variable),
///    `$XDG_CONFIG_HOME/containers/auth.json` (default `~/.config`), and Docker's `config.json` in
///    `$DOCKER_CONFIG` (default `~/.docker`).
///
/// In a file, `credHelpers` come first, then the most specific key of `auths` (`host/path`, then `host`:
/// containers-auth.json(5)), then `credsStore`. What cannot be read is reported and passed over: most images are for
/// everybody.
public struct RegistryCredentials: Sendable {
  /// Runs `PROGRAM get` with the server's name and a newline on its standard input, and gives its exit status and
  /// standard output (github.com/docker/docker-credential-helpers, "Development").
  public typealias Helper =
    @Sendable (_ program: String, _ server: String) async throws -> (
      status: Int32, output: String
    )

  /// No credentials at all.
  public static let none = RegistryCredentials()

  private let variables: [String: String]
  private let files: [CredentialFile]
  private let helper: Helper?
  private let answers = HelperAnswers()
  private let problems: CredentialProblems

  private init() {
    variables = [:]
    files = []
    helper = nil
    problems = CredentialProblems { _ in }
  }

  /// Reads the files that there are.
  ///
  /// - Parameters:
  ///   - environment: The process's environment.
  ///   - home: The user's home folder.
  ///   - userID: The user's number; that of this process unless a test says otherwise.
  ///   - onProblem: Called once for what cannot be used, a file, an entry or a helper, when a registry is asked.
  ///   - helper: Runs credential helpers.
  public init(
    environment: [String: String], home: FilePath, userID: UInt32 = effectiveUser,
    onProblem: @escaping @Sendable (CredentialError) -> Void = { _ in }, helper: @escaping Helper
  ) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    variables = environment.filter {
      $0.key.hasPrefix("REGISTRY_USER_") || $0.key.hasPrefix("REGISTRY_PASSWORD_")
    }
    self.helper = helper
    let problems = CredentialProblems(onProblem)
    self.problems = problems
    func file(_ path: FilePath) -> CredentialFile? {
      do throws(CredentialError) {
        return try CredentialFile(path)
      } catch {
        problems.note(error)
        return nil
      }
    }
    if let named = value("REGISTRY_AUTH_FILE") {
      if !fileExists(FilePath(named)) {
        problems.note(CredentialError(source: "REGISTRY_AUTH_FILE", reason: "there is no file \(named)"))
      }
      files = file(FilePath(named)).map { [$0] } ?? []
      return
    }
    let runtime = value("XDG_RUNTIME_DIR").map { FilePath($0) } ?? FilePath("/run/containers/\(userID)")
    let isDefault = value("XDG_RUNTIME_DIR") == nil
    let config = value("XDG_CONFIG_HOME").map { FilePath($0) } ?? home.appending(".config")
    let docker = value("DOCKER_CONFIG").map { FilePath($0) } ?? home.appending(".docker")
    files = [
      isDefault ? runtime.appending("auth.json") : runtime.appending("containers").appending("auth.json"),
      config.appending("containers").appending("auth.json"), docker.appending("config.json"),
    ].compactMap(file)
  }

  /// The names of the variables that hold a registry's credentials.
  public static func variableNames(registry: String) -> (user: String, password: String) {
    let host = String(
      registry.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    return ("REGISTRY_USER_\(host)", "REGISTRY_PASSWORD_\(host)")
  }

  /// The credential for a repository, `nil` when there is none.
  ///
  /// - Throws: ``CredentialError`` when only one of a user's name and password is set.
  func credential(registry: String, repository: String) async throws(CredentialError) -> RegistryCredential? {
    if let credential = try fromVariables(registry) { return credential }
    for file in files {
      let entries = file.entries(registry: registry, repository: repository, onProblem: problems.report)
      for entry in entries {
        switch entry {
        case .credential(let credential): return credential
        case .helper(let name, let server):
          do throws(CredentialError) {
            if let credential = try await ask(name, server, file) { return credential }
          } catch {
            problems.report(error)
          }
        }
      }
    }
    return nil
  }

  /// Tells what could not be read, once; a run that asks no registry has no use for it.
  func reportProblems() { problems.reportNoted() }

  private func fromVariables(_ registry: String) throws(CredentialError) -> RegistryCredential? {
    let names = Self.variableNames(registry: registry)
    let user = variables[names.user] ?? ""
    let password = variables[names.password] ?? ""
    if user.isEmpty, password.isEmpty { return nil }
    guard !user.isEmpty, !password.isEmpty else {
      throw CredentialError(
        source: user.isEmpty ? names.password : names.user,
        reason: "\(user.isEmpty ? names.user : names.password) is missing beside it")
    }
    return RegistryCredential(user: user, password: password)
  }

  private struct HelperAnswer: Decodable {
    let user: String
    let secret: String

    private enum CodingKeys: String, CodingKey {
      case user = "Username"
      case secret = "Secret"
    }
  }

  private func ask(
    _ name: String, _ server: String, _ file: CredentialFile
  ) async throws(CredentialError) -> RegistryCredential? {
    let program = "docker-credential-\(name)"
    let source = "\(file.path): \(program)"
    let allowed = name.utf8.allSatisfy {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
        || "._-".utf8.contains($0)
    }
    guard allowed, let helper else {
      throw CredentialError(
        source: source, reason: "its name cannot be that of a credential helper")
    }
    if let known = answers[program, server] { return known }
    let answer: (status: Int32, output: String)
    do {
      answer = try await helper(program, server)
    } catch {
      throw CredentialError(
        source: source, reason: "it cannot be run: \(error)")
    }
    guard answer.status == 0 else {
      // The text by which helpers say that they know nothing of a server.
      if answer.output.contains("credentials not found") { return nil }
      throw CredentialError(
        source: source, reason: "it failed with status \(answer.status) for \(server)")
    }
    guard let found = try? JSONDecoder().decode(HelperAnswer.self, from: Data(answer.output.utf8)) else {
      throw CredentialError(
        source: source, reason: "its answer for \(server) is not the JSON of a credential")
    }
    if found.secret.isEmpty { return nil }
    let credential =
      found.user == "<token>"
      ? RegistryCredential(identityToken: found.secret)
      : RegistryCredential(user: found.user, password: found.secret)
    answers[program, server] = credential
    return credential
  }
}

/// What is wrong with credentials, each thing told once.
private final class CredentialProblems: Sendable {
  private let onProblem: @Sendable (CredentialError) -> Void
  private let told = Mutex<Set<String>>([])
  /// What was found before anything was asked.
  private let noted = Mutex<[CredentialError]>([])

  init(_ onProblem: @escaping @Sendable (CredentialError) -> Void) { self.onProblem = onProblem }

  func note(_ problem: CredentialError) { noted.withLock { $0.append(problem) } }

  func reportNoted() {
    let problems = noted.withLock { noted in
      defer { noted = [] }
      return noted
    }
    for problem in problems { report(problem) }
  }

  func report(_ problem: CredentialError) {
    if told.withLock({ $0.insert(problem.description).inserted }) { onProblem(problem) }
  }
}

/// What helpers answered in this run: one may ask the user for a password, and images are many.
private final class HelperAnswers: Sendable {
  private let known = Mutex<[[String]: RegistryCredential]>([:])

  subscript(program: String, server: String) -> RegistryCredential? {
    get { known.withLock { $0[[program, server]] } }
    set { known.withLock { $0[[program, server]] = newValue } }
  }
}
