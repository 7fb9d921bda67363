import Archive
import Console
import Host
import Integrity
import Kubespray
import Settings
import Snapshot
import Supply
import SystemPackage
import Testing
import Trust

@testable import Bundle
@testable import DownloadAll
@testable import Files
@testable import Mirrors
@testable import Registry
@testable import Transfer

/// What this program says about errors of the floors below, word for word: the facts and the advice.
@Suite struct ErrorSnapshotTests {
  private func errors() throws -> [any Error] {
    try transfers() + registries() + machine() + kubespray() + packages() + own()
  }

  private func transfers() -> [any Error] {
    let url = "https://dl.k8s.io/kubelet"
    let digests = (Digest(of: [1]), Digest(of: [2]))
    let kinds: [(TransferError.Kind, String)] = [
      (.nameNotResolved, "Could not resolve host: dl.k8s.io"), (.tls, "certificate has expired"),
      (.plainHTTP, "wrong version number"), (.stalled, "no data arrived for the stall timeout"),
      (.waitTooLong, "the server asks to wait 86400 seconds"),
      (.digestMismatch(expected: digests.0, actual: digests.1), "the content has another digest"),
      (.file, "outputs/files/kubelet cannot be written: No space left on device"),
    ]
    let statuses = [401, 403, 404, 429, 503].map { TransferError.status($0, url: url, body: []) }
    var tried = TransferError(.connection, url: url, detail: "Connection refused")
    tried.attempts = 6
    return kinds.map { TransferError($0.0, url: url, detail: $0.1) } + statuses + [tried]
  }

  private func registries() throws -> [any Error] {
    let image = try ImageReference("nginx:9.9.9")
    let endpoint = RegistryEndpoint(registry: "docker.io", configuration: RegistryConfiguration())
    func answer(_ status: Int, _ body: String = "") -> RegistryError {
      RegistryError(status: status, body: Array(body.utf8), what: "", image: image, endpoint: endpoint)
    }
    let unknown = #"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#
    return [
      ListedImageError(error: answer(404, unknown), listing: "imagelists/images.txt line 2"),
      answer(401), answer(403), answer(500),
      RegistryError(.rateLimited, image: image, detail: "the registry limits requests (429)"),
      RegistryError(.platformMissing, image: image, detail: "there is no image for linux/amd64"),
      RegistryError(.notAnImage, image: image, detail: "it is not a container image but a chart"),
      RegistryError(.transfer(.plainHTTP), image: image, detail: "wrong version number"),
      CredentialError(source: "REGISTRY_AUTH_FILE", reason: "there is no file /auth.json"),
    ]
  }

  private func machine() throws -> [any Error] {
    [
      FileError(.write, "outputs/files/x", .noSpace), FileError(.read, "imagelists/x", .permissionDenied),
      FileLockError(path: "outputs/.lock", holder: 4711),
      CommandError.executableNotFound(name: "git", command: "git init"),
      ArchiveError.damaged(archive: "cache/kubespray.tar.gz", entry: "a", reason: "it ends too early"),
      ArchiveError.unsafeEntry(archive: "a.tar", entry: "../x", reason: "has \"..\" in its path"),
      ImageNameCollision(
        first: try ImageReference("a/b:1"), second: try ImageReference("ghcr.io/a/b:1"),
        place: .pushName("a/b:1")),
      try ImageReferenceError("A B"),
    ]
  }

  private func kubespray() throws -> [any Error] {
    [
      KubespraySourceError.otherContent(
        try KubesprayVersion("2.30.0"), origin: "https://github.com/k/archive/v2.30.0.tar.gz",
        found: Digest(of: [1]), known: Digest(of: [2])),
      KubesprayVersionError.malformed("2.30"), KubesprayTreeError.missing("/src/kubespray"),
      CatalogError.evaluationFailed(output: "  undefined variable", closed: []),
      CatalogError.evaluationFailed(
        output: "  'x' is undefined", closed: ["group_vars/all/vault.yml"]),
      CatalogError.evaluationFailed(
        output: "  Attempting to decrypt but no vault secrets found", closed: []),
      CatalogError.missing("inventory/hosts.yaml", setting: nil),
      CatalogError.missing("/x/pass", setting: "ANSIBLE_VAULT_PASSWORD_FILE"),
      CatalogError.otherArchitectures(
        wanted: ["amd64"], ["arm64": ["node1", "node2"]], isMixed: false),
      CatalogError.otherArchitectures(wanted: ["amd64"], ["arm64": ["node2"]], isMixed: true),
      CatalogError.otherArchitectures(wanted: ["amd64"], ["x86_64": []], isMixed: false),
      CatalogError.badImageBases(["registry_host": "http://192.0.2.1:5000/"]),
      CatalogError.offlineEnvironment(["registry_host": "YOUR_HOST:35000"]),
      CatalogError.noHosts("inventory/hosts.yaml"),
      FileLayoutError.collision(path: "runc", first: "https://a/runc", second: "https://b/runc"),
      PythonEnvironmentError.programFails("/c/bin/ansible-playbook", "  No module named 'ansible'"),
      PythonEnvironmentError.noPython(minors: 10...12, found: ["3.9.1"], .redHat),
    ]
  }

  private func packages() throws -> [any Error] {
    let debian = try PackageTarget(named: "debian-12")
    let rocky = try PackageTarget(named: "rocky-9")
    return [
      DebianRepositoryError.noSources(target: debian, host: "debian-13"),
      DebianRepositoryError.unreachable(debian, reasons: ["  Could not connect"]),
      RPMRepositoryError.noSources(rocky), RPMRepositoryError.noSolver,
      PythonIndexError.unresolvable([(machine: "Python 3.12 on amd64", text: "no match for x")], []),
      SigningKeyError.cannotSign("key.gpg", reason: "Bad passphrase"),
      SigningKeyError.cannotMake(
        "kubespray-offline debs/local for debian-12, amd64", reason: "No agent running"),
      PackageListError.badName("a b", origin: "pkgs.txt line 3"), UnsupportedTarget(name: "beos-5"),
    ]
  }

  private func own() -> [any Error] {
    deltas() + [
      NotEnoughSpace(folder: "outputs", needed: 2_100_000_000, available: 1_000_000),
      UnusableFolder(folder: "/x", option: "--outputs", reason: "Permission denied"),
      UnfinishedBundle(outputs: "outputs"), UnprovableBundle(outputs: "outputs", stages: "files images"),
      PkgsFailed.notAllowed("xz", command: "apt-get install xz-utils"),
      URLListError(place: "list:3", reason: "two files want one place", remedy: .withoutFlat),
      ImageListError(place: "images.txt line 2", reason: "more than one word in a line"),
      ClusterError(kind: .noProgram, reason: "kubectl is not installed"),
      PackError.nothingToPack("outputs"),
      SigningFailed("k", .unreadable("No such file or directory")),
      SigningFailed("k", .unusable(.unsupportedKeyType("ssh-rsa"))),
      SigningFailed("k.pub", .refused("agent refused operation")),
      UnsignableBundle(path: "outputs/bundle.json", kind: .oldFormat),
      UnsignableBundle(path: "outputs/bundle.json.sig", kind: .falseSignature(.wrongSignature)),
      UnsignableBundle(path: "outputs/bundle.json", kind: .tooManySignatures),
      LockUnusable(path: "bundle.lock", reason: "there is no such file", isMissing: true),
      LockUnusable(path: "bundle.lock", reason: "it is not a lock of a bundle"),
      LockContradicted(
        cause: .settings, lines: ["kubespray.version is 2.31.0, that of the lock 2.30.0"]),
      LockContradicted(
        cause: .upstream, lines: ["files/a: the lock has https://a sha256:1, and now there is none"]),
      AllowedSignersUnusable(path: "allowed_signers", reason: "line 2: the key is missing"),
      KeyNotMade(path: "k", kind: .exists), KeyNotMade(path: "k", kind: .badName("a b")),
    ]
  }

  private func deltas() -> [any Error] {
    let (first, second) = (manifest("2.29.1"), manifest("2.30.0"))
    let (one, other) = (BundleIdentity(first), BundleIdentity(second))
    return [
      DeltaErrors(all: [
        DeltaError.bundleDamaged("outputs/images/a.tar.gz", how: "it is missing"),
        DeltaError.occupied("usb", by: "the delta from \(one) to \(other)"),
      ]),
      DeltaError.otherList(wanted: one, found: other, "damage.json"), DeltaError.malformedList("damage.json"),
      DeltaError.overlapping("outputs/usb", "outputs"),
      DeltaError.notEnoughSpace("usb", needed: 2_100_000_000, available: 1_000_000),
      MediaError.tooFewFolders(needed: 4, named: 2), MediaError.noPart(5, of: 4), MediaError.tooSmall(5000),
      MediaError.lessRoom("/media/usb", needed: 2_100_000_000, available: 1_000_000),
      MediaError.occupied("/media/usb", by: "content"), MediaError.nothingToCarry("empty"),
      MediaError.otherBytes("/media/usb/content/files/a", how: "its digest is another one"),
    ]
  }

  private func manifest(_ kubespray: String) -> Manifest {
    Manifest(
      tool: "test", created: "2026-01-01T00:00:00Z", kubespray: kubespray, architecture: "amd64", stages: [],
      files: [])
  }

  @Test func everyErrorIsAFactAndAnAdvice() throws {
    let text = try errors().flatMap { Problem.all($0, about: "SUBJECT") }
      .map { "[\($0.kind)] \($0)\n" }.joined()
    let difference = try Snapshot.difference(text, "errors")
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test func factsOfTheFloorsBelowNameNoSettingsAndFlags() throws {
    for error in try transfers() + registries() + machine() + kubespray() + packages() {
      let fact = "\(error)"
      for word in [
        "--", "mirrors:", "transfer.", "images.plain", "packages.", "kubespray.source", "download-all",
      ] {
        #expect(!fact.contains(word), "\(fact)")
      }
    }
  }
}

extension ImageReferenceError {
  /// The error of a text that is not a reference.
  fileprivate init(_ text: String) throws {
    do {
      _ = try ImageReference(text)
      throw Broken()
    } catch let error as ImageReferenceError {
      self = error
    }
  }
}
