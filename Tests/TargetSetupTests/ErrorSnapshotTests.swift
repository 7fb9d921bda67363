import Archive
import Bundle
import Console
import Files
import Host
import Snapshot
import Supply
import SystemPackage
import Testing

@testable import Registry
@testable import TargetSetup
@testable import Transfer

/// What this program says about errors, word for word: the facts and the advice that is right on the target.
@Suite struct ErrorSnapshotTests {
  private func errors() throws -> [any Error] { try registries() + stores() + machine() + steps() + deltas() }

  private func registries() throws -> [any Error] {
    let image = try ImageReference("harbor.example/k8s/nginx:1")
    let endpoint = RegistryEndpoint(registry: "harbor.example", configuration: RegistryConfiguration())
    func refusal(_ status: Int, _ body: String = "") -> RegistryError {
      var error = TransferError.status(status, url: "https://harbor.example/v2/", body: Array(body.utf8))
      error.attempts = 3
      return RegistryError(pushing: error, image, endpoint)
    }
    func failure(_ kind: TransferError.Kind, _ detail: String) -> RegistryError {
      RegistryError(
        pushing: TransferError(kind, url: "https://harbor.example/v2/", detail: detail), image, endpoint)
    }
    return [
      refusal(401), refusal(403), refusal(404), refusal(405), refusal(500), refusal(507),
      refusal(400, #"{"errors":[{"code":"UNKNOWN","detail":{"Err":28}}]}"#),
      failure(.tls, "self-signed certificate"), failure(.plainHTTP, "wrong version number"),
      failure(.connection, "Connection refused"),
      RegistryError(.insecure, image: image, detail: "harbor.example would be contacted without TLS"),
      RegistryError(.notServed, image: image, detail: "the registry does not serve 1"),
      StorageError(folder: "/var/lib/registry", reason: .noSpace),
      ImageArchiveError.noImageLayout("x.tar"),
    ]
  }

  private func stores() throws -> [any Error] {
    let address = try StoreAddress("https://nexus.example/repository/files")
    let answers = [401, 403, 404, 405, 413, 507, 503].map { status in
      StoreError(
        .refused(status, hasCredential: false), "\(address.base.origin) answered \(status) when uploading")
    }
    return answers + [
      StoreError(TransferError(.tls, url: "https://nexus.example/", detail: "self-signed"), address),
      StoreError(.moved(to: "https://new.example/files"), "it sends those who ask on", isFatal: true),
      StoreError(.notKept, "the store took it and does not have it"),
    ]
  }

  private func deltas() -> [any Error] {
    func bundle(_ kubespray: String) -> BundleIdentity {
      BundleIdentity(
        Manifest(
          tool: "test", created: "2026-01-01T00:00:00Z", kubespray: kubespray, architecture: "amd64",
          stages: [],
          files: []))
    }
    return [
      DeltaError.noDelta("/media/usb"),
      DeltaError.malformed("/media/usb/delta.json", reason: "it is cut off"),
      DeltaError.otherFormat("/media/usb/delta.json", format: 2),
      DeltaError.otherBase(wanted: bundle("2.29.1"), found: bundle("2.30.0"), "/srv/outputs"),
      DeltaError.damaged("/media/usb/new/files/a", how: "it is missing"),
      DeltaError.bundleDamaged("/srv/outputs/files/a", how: "its digest is another one"),
      DeltaError.occupied("/srv/new", by: "notes"),
      DeltaError.overlapping("/srv/outputs/new", "/srv/outputs"),
      DeltaError.notEnoughSpace("/srv/new", needed: 2_100_000_000, available: 1_000_000),
      MediaError.noMedium("/media/usb"), MediaError.malformed("/media/usb/media.json"),
      MediaError.otherSet("/media/usb", wanted: bundle("2.30.0"), found: bundle("2.31.0")),
      MediaError.occupied("/srv/new", by: "notes"),
    ]
  }

  private func machine() -> [any Error] {
    [
      ImageArchiveError.misnamed(
        "/tmp/app.tar", image: "quay.io/Acme/App:1", reason: "the repository must be in lower case"),
      FileError(.read, "/tmp/gone", .noSuchFileOrDirectory),
      FileError(.write, "/etc/nginx.conf", .noSpace), FileError(.read, "/etc/x", .permissionDenied),
      CommandError.executableNotFound(name: "patch", command: "patch -p1"),
      ArchiveError.damaged(archive: "images/a.tar.gz", entry: nil, reason: "it ends too early"),
      TransferError(.status(404), url: "http://10.0.0.5/files", detail: "not found (404)"),
      TransferError(.waitTooLong, url: "http://10.0.0.5/files", detail: "it asks to wait a day"),
    ]
  }

  private func steps() -> [any Error] {
    let kinds: [StepAdvice] = [
      .verify, .recopy, .removeUnexpected, .finishBundle, .medium, .asRoot(command: "target-setup all"),
      .asRoot(command: nil), .wait, .again,
      .correctFile, .first(.nginx), .undoFirst(.registry), .moveAway,
      .webServer(lacking: "if files are missing, run \"target-setup verify\""),
      .log(command: "journalctl -u nginx"), .port(service: "nginx"), .serveInPlace, .registryAddress,
      .authorityFile, .bundleFolder, .otherBundleFolder("/srv/outputs"), .uploadFolder, .uploadAddress,
      .remake, .packageTarget("debian-12"),
      .pythonPackages, .ansibleImage, .architecture("arm64"), .installPython, .install("patch"),
      .tryCommand("ansible --version"), .verbose, .dockerFlag("--insecure-registry=x"), .stopContainers,
      .restore, .resend,
    ]
    return kinds.map { StepError("something is wrong", $0) } + [
      StepError.unfinished("/bundle"),
      TrustError.unsigned("/bundle", reason: "there is no signature", signers: "/etc/allowed_signers"),
      TrustError.signersGone("/etc/allowed_signers", taken: 7),
      TrustError.older("/bundle", sequence: 6, taken: 7),
      TrustError.expired("/bundle", end: "2027-01-01T00:00:00Z"), TrustError.noManifest("/bundle"),
      TrustError.foreignFolder(setting: "registry.directory", "/etc"),
      TrustError.unusable("/etc/allowed_signers", reason: "line 1: the key is missing"),
      DamagedBundle(bundle: "/bundle", count: 1, problems: ["a: missing"]),
      NoPackagesForRelease(name: "debian-12", found: ["rocky-9"]),
      PackagesNotInstalled(names: ["patch"], command: "apt-get", reason: "  no candidate"),
      ExtractionError.inTheWay("/root/kubespray", reason: "was not made by this program"),
    ]
  }

  @Test func everyErrorIsAFactAndAnAdvice() throws {
    let text = try errors().flatMap { Problem.all($0, about: "SUBJECT") }
      .map { "[\($0.kind)] \($0)\n" }.joined()
    let difference = try Snapshot.difference(text, "errors")
    #expect(difference == nil, "\(difference ?? "")")
  }

  /// The settings of download-all's side are none here.
  @Test func noAdviceNamesSettingsThatThisProgramDoesNotHave() throws {
    for problem in try errors().map({ Problem($0) }) {
      for word in [
        "mirrors:", "transfer.per_host", "images.plain_http", "--outputs", "--cache", "https_proxy",
      ] {
        #expect(problem.advice?.contains(word) != true, "\(problem)")
      }
    }
  }
}
