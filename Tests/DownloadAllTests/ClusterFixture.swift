import Glibc
import Integrity
import SystemPackage
import TestServer

@testable import DownloadAll

/// A stand-in of a cluster's API server, as much of it as kubectl asks for, and a kubeconfig for it.
final class ClusterFixture: Sendable {
  static let hasKubectl = findTool("kubectl")

  let fixture: RunFixture
  var server: TestServer { fixture.server }

  init() throws {
    fixture = try RunFixture()
    json("/api", #"{"kind":"APIVersions","versions":["v1"]}"#)
    json(
      "/apis",
      #"{"kind":"APIGroupList","apiVersion":"v1","groups":[{"name":"batch","versions":[{"groupVersion":"batch/v1","version":"v1"}],"preferredVersion":{"groupVersion":"batch/v1","version":"v1"}}]}"#
    )
    resources("/api/v1", "v1", [("pods", "Pod", true), ("nodes", "Node", false)])
    resources("/apis/batch/v1", "batch/v1", [("jobs", "Job", true), ("cronjobs", "CronJob", true)])
    for kind in ["Pod", "Job", "CronJob", "Node"] { objects(kind, []) }
    try fixture.write(
      """
      apiVersion: v1
      kind: Config
      clusters: [{name: c, cluster: {server: "\(server.baseURL)"}}]
      users: [{name: u, user: {token: secret-of-the-cluster}}]
      contexts: [{name: admin@test, context: {cluster: c, user: u}}]
      current-context: admin@test

      """, to: "kubeconfig")
  }

  /// What the stage would ask, with kubectl's own cache in the test's folder.
  func cluster(hasCatalog: Bool = true, kubeconfig: String? = nil, path: String? = nil) -> ClusterImages {
    var cluster = ClusterImages(
      kubeconfig: kubeconfig ?? fixture.root.appending("kubeconfig").string, hasCatalog: hasCatalog)
    cluster.environment = [
      "HOME": fixture.root.string, "KUBECONFIG": nil, "https_proxy": nil, "http_proxy": nil,
    ]
    if let path { cluster.environment["PATH"] = path }
    return cluster
  }

  /// A pod of these containers' images.
  static func pod(_ name: String, _ images: String..., more: String = "") -> String {
    let containers = images.map { #"{"name":"c","image":"\#($0)"}"# }.joined(separator: ",")
    return
      #"{"metadata":{"name":"\#(name)","namespace":"default"},"spec":{"containers":[\#(containers)]\#(more)}}"#
  }

  static func path(of kind: String) -> String {
    let name = kind.lowercased() + "s"
    return kind == "Pod" || kind == "Node" ? "/api/v1/\(name)" : "/apis/batch/v1/\(name)"
  }

  /// What the server has of a kind, in pages: each is asked for with the token of the one before.
  func objects(_ kind: String, _ pages: [String]...) {
    let group = kind == "Pod" || kind == "Node" ? "v1" : "batch/v1"
    server.route(Self.path(of: kind)) { request in
      let query = request.query ?? ""
      let page = pages.indices.last { query.contains("continue=page\($0)") } ?? 0
      let next = page + 1 < pages.count ? #","continue":"page\#(page + 1)""# : ""
      let items = (pages.isEmpty ? [] : pages[page]).joined(separator: ",")
      return Self.response(
        #"{"kind":"\#(kind)List","apiVersion":"\#(group)","metadata":{"resourceVersion":"1"\#(next)},"items":[\#(items)]}"#
      )
    }
  }

  /// Refuses a kind as an API server does whose user may not list it.
  func forbid(_ kind: String) {
    let name = kind.lowercased() + "s"
    server.route(Self.path(of: kind)) { _ in
      Self.response(
        #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"\#(name) is forbidden: User \"view\" cannot list resource \"\#(name)\" at the cluster scope","reason":"Forbidden","details":{"kind":"\#(name)"},"code":403}"#,
        status: 403)
    }
  }

  private func json(_ path: String, _ text: String) {
    server.route(path) { _ in Self.response(text) }
  }

  private func resources(_ path: String, _ group: String, _ kinds: [(String, String, Bool)]) {
    let list = kinds.map {
      #"{"name":"\#($0.0)","singularName":"\#($0.1.lowercased())","namespaced":\#($0.2),"kind":"\#($0.1)","verbs":["get","list"]}"#
    }
    json(
      path,
      #"{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"\#(group)","resources":[\#(list.joined(separator: ","))]}"#
    )
  }

  private static func response(_ text: String, status: Int = 200) -> TestServer.Response {
    TestServer.Response(
      status, headers: [("Content-Type", "application/json")], body: TestServer.Body(text))
  }

  private static func findTool(_ name: String) -> Bool {
    (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
      .contains { access("\($0)/\(name)", X_OK) == 0 }
  }
}
