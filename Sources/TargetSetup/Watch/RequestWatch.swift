import Host
import Synchronization

/// What the nodes ask the servers of this host for, and what they do not get.
public struct RequestWatch: Sendable, Encodable {
  /// What one node has asked for.
  public struct Client: Sendable, Encodable {
    /// Its address.
    public let address: String
    /// How many requests were answered.
    public internal(set) var answered = 0
    /// How many were refused or for what is not there.
    public internal(set) var refused = 0
  }

  /// Something that was asked for and is not there.
  public struct Missing: Sendable, Encodable, Equatable {
    /// Who asked first.
    public let client: String
    /// The path.
    public let path: String
    /// What that is, which variable of kubespray leads there, and what to do.
    public let explanation: String
  }

  /// The nodes, in order of their first request.
  public private(set) var clients: [Client] = []
  /// What is missing, in the order in which it was asked for.
  public private(set) var missing: [Missing] = []
  private var seen: Set<AskedThing> = []
  private let variables: [(name: String, place: String)]
  private let files: [String]
  private let releases: [String: [String]]

  private enum CodingKeys: CodingKey { case clients, missing }

  /// - Parameters:
  ///   - offline: The lines of the offline.yml that nodes have.
  ///   - files: What the bundle has below `files/`.
  ///   - releases: What each release that is served has below its own `files/`, by kubespray version.
  init(offline: [String], files: [String], releases: [String: [String]] = [:]) {
    self.releases = releases
    variables = offline.compactMap { line in
      guard let colon = line.firstRange(of: ": \"{{ files_repo }}/"), line.hasSuffix("\"") else { return nil }
      return (String(line[..<colon.lowerBound]), String(line[colon.upperBound...].dropLast()))
    }
    self.files = files
  }

  /// Takes one line of a log.
  ///
  /// - Returns: What is missing, if that is new.
  mutating func add(line: String) -> Missing? {
    guard let request = ServedRequest(line: line) else { return nil }
    let index = clients.firstIndex { $0.address == request.client } ?? clients.count
    if index == clients.count { clients.append(Client(address: request.client)) }
    guard request.status >= 400 else {
      clients[index].answered += 1
      return nil
    }
    clients[index].refused += 1
    guard request.status == 404, let thing = AskedThing(path: request.path), seen.insert(thing).inserted
    else { return nil }
    let found = Missing(client: request.client, path: request.path, explanation: explanation(of: thing))
    missing.append(found)
    return found
  }

  private func explanation(of thing: AskedThing) -> String {
    if let release = thing.release, releases[release] == nil {
      let known = releases.keys.sorted().joined(separator: ", ")
      return
        "nothing of kubespray \(release) is served\(known.isEmpty ? "" : ", only of \(known)"): set its bundle up again"
    }
    let whose = thing.release.map { " of kubespray \($0)" } ?? ""
    switch thing {
    case .file(let path, let release):
      guard let variable = variables.first(where: { ShellInventory.fits($0.place, [path]) }) else {
        return "no variable of offline.yml leads to the file \(path): an address of your inventory does"
      }
      let others = (release.flatMap { releases[$0] } ?? files).filter {
        ShellInventory.fits(variable.place, [$0])
      }.sorted().prefix(3)
      let there = others.isEmpty ? "nothing in its place" : others.joined(separator: ", ")
      return
        "\(variable.name) leads to \(path); the bundle\(whose) has \(there). Your inventory sets another version than the bundle was made for"
    case .package(let path, _):
      return
        "the package repository\(whose) has no \(path): add the package to pkglist/ where the bundle is made, or run offline-repo.yml again"
    case .wheel(let name, _): return "the Python index\(whose) has no \(name)"
    case .image(let name):
      return
        "the registry has no image \(name): add it to imagelists/ where the bundle is made, or load-push --archive"
    case .foreignImage(let name):
      return
        "the bundle has no image of the registry of \(name); a registry of your own network goes into registry.own"
    }
  }
}

extension RequestWatch {
  /// The requests of the host's servers.
  ///
  /// - Parameters:
  ///   - context: The host, and the bundle that its servers offer.
  ///   - since: From when on, in words of journalctl; `nil` is from now on.
  ///   - isFollowing: Whether to wait for more.
  ///   - show: Called for each line of their logs: the figures so far, and what it tells to be missing, if that is new.
  /// - Throws: ``StepError``, `CommandError`, or `CancellationError` when it is ended.
  public static func run(
    _ context: SetupContext, since: String?, isFollowing: Bool,
    show: @escaping @Sendable (RequestWatch, Missing?) -> Void
  ) async throws {
    guard context.host.initSystem == .systemd else {
      throw StepError(
        "without systemd nothing keeps what the servers were asked", .tryCommand("target-setup status"))
    }
    let source = try TreeSource(context)
    let offline = source.extras["offline.yml"].map { String(decoding: $0, as: UTF8.self) } ?? ""
    let files = try context.bundle.files(below: "files").map { String($0.dropFirst("files/".count)) }
    let served = try ServedReleases.read(context.host).map { ($0.kubespray, Array($0.files.keys)) }
    let watch = SharedWatch(
      RequestWatch(
        offline: offline.split(separator: "\n").map(String.init), files: files,
        releases: Dictionary(served) { newest, _ in newest }))
    var arguments = ["--quiet", "--output=cat"]
    for name in ["nginx", "registry"] { arguments.append("--unit=kubespray-offline-\(name).service") }
    if let since { arguments.append("--since=\(since)") } else { arguments.append("--lines=0") }
    if isFollowing { arguments.append("--follow") }
    let result = try await context.host.run(Command("journalctl", arguments)) { line in
      watch.state.withLock { state in
        let found = state.add(line: line)
        show(state, found)
      }
    }
    guard result.status == 0 else { throw CommandError.failed(command: "journalctl", result: result) }
  }
}

/// Lines come from any thread.
private final class SharedWatch: Sendable {
  let state: Mutex<RequestWatch>

  init(_ watch: RequestWatch) { state = Mutex(watch) }
}
