import Files
import FoundationEssentials
import SystemPackage
import Transfer
import YAML

/// What a kubeconfig says of its current context (Kubernetes, `client-go/tools/clientcmd/api/v1/types.go`).
struct KubeConfig: Sendable {
  /// `https://HOST:PORT`.
  let server: String
  /// The authority's certificate (PEM); `nil` for those of this machine.
  let authority: [UInt8]?
  /// The certificate of the user and its key (PEM); `nil` when the user proves who it is in another way.
  let certificate: (file: [UInt8], key: [UInt8])?
  /// The value of the field `Authorization`; `nil` for none.
  let authorization: String?
  /// Whether the server's certificate counts.
  let verifiesServer: Bool

  /// Reads a file.
  ///
  /// - Throws: ``StepError`` that says what is wrong with it, or what only kubectl can do.
  init(_ file: FilePath) throws(StepError) {
    func fail(_ reason: String) -> StepError { StepError("\(file) \(reason)", .clusterAccess) }
    let root: YAMLNode
    do {
      guard let node = try YAML.parse(bytes: try readBytes(file, limit: 4 << 20), source: file.string) else {
        throw fail("is empty")
      }
      root = node
    } catch let error as StepError {
      throw error
    } catch {
      throw fail("cannot be read: \((error as? FileError).map { "\($0.code)" } ?? "\(error)")")
    }
    func named(_ list: String, _ kind: String, _ name: String?) throws(StepError) -> YAMLNode {
      let found = root[list]?.sequence?.first { $0["name"]?.string == name }
      guard let name, let value = found?[kind] else { throw fail("names no \(kind) in its current context") }
      guard value.mapping != nil else { throw fail("says nothing of the \(kind) \(name)") }
      return value
    }
    func bytes(_ node: YAMLNode, _ key: String) throws(StepError) -> [UInt8]? {
      if let text = node["\(key)-data"]?.string {
        guard let data = Data(base64Encoded: text) else { throw fail("has a \(key)-data that is not base64") }
        return Array(data)
      }
      guard let path = node[key]?.string.map({ FilePath($0) }) else { return nil }
      let place = path.isAbsolute ? path : file.removingLastComponent().appending(path.components)
      do { return try readBytes(place, limit: 1 << 20) } catch { throw fail("names \(place): \(error)") }
    }
    let context = try named("contexts", "context", root["current-context"]?.string)
    let cluster = try named("clusters", "cluster", context["cluster"]?.string)
    let user = try named("users", "user", context["user"]?.string)
    for (node, key) in [
      (user, "exec"), (user, "auth-provider"), (cluster, "proxy-url"), (cluster, "tls-server-name"),
    ]
    where node[key] != nil {
      throw fail("needs kubectl, for its \(key), and this host has none")
    }
    guard let server = cluster["server"]?.string, server.hasPrefix("https://") else {
      throw fail("names no server with https://")
    }
    self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
    authority = try bytes(cluster, "certificate-authority")
    verifiesServer = cluster["insecure-skip-tls-verify"]?.bool != true
    let (certificate, key) = (try bytes(user, "client-certificate"), try bytes(user, "client-key"))
    self.certificate = certificate.flatMap { certificate in key.map { (certificate, $0) } }
    if let token = user["token"]?.string {
      authorization = "Bearer \(token)"
    } else if let path = user["tokenFile"]?.string {
      do {
        authorization = "Bearer \(try readText(FilePath(path), limit: 1 << 20).filter { !$0.isWhitespace })"
      } catch { throw fail("names \(path): \(error)") }
    } else if let name = user["username"]?.string, let password = user["password"]?.string {
      authorization = "Basic " + Data("\(name):\(password)".utf8).base64EncodedString()
    } else {
      authorization = nil
    }
  }
}

/// Asks a cluster over HTTPS.
struct ClusterClient: Sendable {
  private let engine: TransferEngine
  private let configuration: KubeConfig

  /// - Parameter folder: Where certificates and keys lie meanwhile; only this user may look into it.
  /// - Throws: `FileError` or `TransferError`.
  init(_ configuration: KubeConfig, in folder: FilePath) throws {
    var transfer = TransferConfiguration()
    transfer.verifiesServers = configuration.verifiesServer
    transfer.applySystemAuthorities { fileExists(FilePath($0)) }
    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
      let path = folder.appending(name)
      try writeAtomically(bytes, to: path, permissions: .ownerReadWrite, isDurable: false)
      return path.string
    }
    if let authority = configuration.authority { transfer.caFile = try file("ca.pem", authority) }
    if let certificate = configuration.certificate {
      transfer.clientCertificate = (
        try file("client.pem", certificate.file), try file("client.key", certificate.key)
      )
    }
    engine = try TransferEngine(transfer)
    self.configuration = configuration
  }

  /// The answer for a path of the API.
  ///
  /// - Throws: ``StepError``.
  func get(_ path: String) async throws(StepError) -> [UInt8] {
    var request = HTTPRequest(url: configuration.server + path, bodyLimit: 256 << 20)
    if let authorization = configuration.authorization { request.fields["Authorization"] = authorization }
    request.fields["Accept"] = "application/json"
    request.followsRedirects = false
    request.retries = 1
    do {
      let response = try await engine.response(to: request)
      guard response.head.status == 200 else {
        throw StepError(refusal(of: path, response.head.status, response.body), .clusterAccess)
      }
      return response.body
    } catch let error as StepError {
      throw error
    } catch {
      throw StepError("the cluster cannot be asked: \(error)", .clusterAccess)
    }
  }

  /// What the server says against a question: an object `Status` with a sentence, if it is the one of Kubernetes.
  private func refusal(of path: String, _ status: Int, _ body: [UInt8]) -> String {
    let server = configuration.server
    let answer = try? JSONDecoder().decode(JSONTree.self, from: Data(body))
    let said = "status \(status)" + (answer?["message"]?.text.map { ": \($0)" } ?? "")
    return switch status {
    case 401: "\(server) does not know the user of the kubeconfig (\(said))"
    case 403: "\(server) does not let the user of the kubeconfig see \(path) (\(said))"
    default: "\(server) does not answer for \(path) (\(said))"
    }
  }
}
