import Files
import Settings
import SystemPackage
import TestServer
import TestSupport
import Testing

@testable import TargetSetup

/// The registry takes nothing from the network, whatever its file says, unless that is wanted.
@Suite("Configuration of the registry")
struct RegistryConfigurationTests {
  private static let ours = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("target-scripts/registry-config.yml")

  private func set(_ text: String, writable: Bool) throws -> String {
    var settings = try RegistryConfiguration(text)
    try settings.setSecret("abc")
    try settings.setWritable(writable)
    return settings.text
  }

  @Test("the bundle's own file is read-only and without delete, and has a line for the secret")
  func own() throws {
    let text = try readText(Self.ours)
    let closed = try set(text, writable: false)
    #expect(closed == text.replacing("\nhttp:\n", with: "\nhttp:\n  secret: abc\n"))
    let open = try set(text, writable: true)
    #expect(open.contains("  delete:\n    enabled: true\n"))
    #expect(open.contains("    readonly:\n      enabled: false\n"))
    #expect(try set(open, writable: false) == closed)
  }

  @Test(
    "whatever a file says, it is told",
    arguments: [
      "storage:\n  inmemory:\nhttp:\n  addr: :1\n",
      "storage:\n    # note\n    delete:\n        enabled: true\n\n    inmemory: {}\nhttp:\n    secret: old\n",
      "storage:\n  delete: {enabled: true}\n  maintenance:\n    readonly: {enabled: false}\nhttp:\n",
      "http:\n  addr: :1\nstorage:\n  maintenance:\n    uploadpurging:\n      enabled: true",
    ])
  func others(_ text: String) throws {
    let closed = try set(text, writable: false)
    #expect(closed.contains("enabled: false") && !closed.contains("delete: {"))
    #expect(closed.contains("secret: abc") && !closed.contains("secret: old"))
    #expect(try set(try set(closed, writable: true), writable: false) == closed)
  }

  @Test("a file that cannot be changed line by line is refused")
  func refused() {
    for text in [
      "version: 0.1\n", "storage: {inmemory: }\nhttp:\n", "storage:\n  inmemory:\n",
      "storage:\n  maintenance: {uploadpurging: {enabled: true}}\nhttp:\n",
    ] {
      #expect(throws: StepError.self, "\(text)") { try set(text, writable: false) }
    }
  }

  @Test("containers lose what they do not need, as far as ctr can take it away")
  func options() throws {
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      let limits = ContainerLimits(user: .unprivileged, capabilities: ["SETUID"], memory: 1 << 30)
      #expect(limits.options(host, help: "") == [])
      let help = "--read-only --cap-drop value --seccomp --memory-limit value --user value, -u value"
      let bare = limits.options(host, help: help)
      #expect(bare.contains("CAP_NET_RAW") && !bare.contains("CAP_SETUID"))
      #expect(bare.contains("65532:65532"))
      #expect(!bare.contains("--memory-limit") && !bare.contains("--seccomp"))
      try put("cpu memory pids\n", at: folder.appending("sys/fs/cgroup/cgroup.controllers"))
      try put("", at: folder.appending("proc/sys/kernel/seccomp"))
      let all = limits.options(host, help: help)
      #expect(all.contains("--memory-limit") && all.contains("--seccomp"))
    }
  }
}
