import Archive
import Bundle
import Files
import Foundation
import Host
import Integrity
import Kubespray
import Registry
import Settings
import SystemPackage
import TestRegistry
import Testing

@testable import DownloadAll

@Suite(.timeLimit(.minutes(10))) struct AnsibleImageTests {
  private func settings(_ image: String?) -> Configuration {
    var configuration = Configuration()
    configuration.python.ansibleInContainer = true
    configuration.python.ansibleImage = image
    return configuration
  }

  @Test(
    arguments: [
      (nil, "2.30.0", "quay.io/kubespray/kubespray:v2.30.0"),
      ("harbor.example.com/team/ansible:1", "master", "harbor.example.com/team/ansible:1"),
      ("assembled", "release-2.30", "localhost/kubespray-offline/ansible:release-2.30"),
    ] as [(String?, String, String)])
  func theSettingsNameAnImage(image: String?, version: String, expected: String) throws {
    let found = try AnsibleImage(settings(image), try KubesprayVersion(version))
    #expect(found?.reference.description == expected)
    #expect(try AnsibleImage(Configuration(), try KubesprayVersion(version)) == nil)
  }

  @Test(arguments: ["master", "release-2.30", "46dbdd3"])
  func withoutAPublishedImageTheAlternativesAreNamedBeforeAnythingIsFetched(version: String) throws {
    let fixture = try RunFixture()
    var configuration = fixture.configuration
    configuration.python.ansibleInContainer = true
    configuration.kubespray.version = version
    let job = Job(configuration, selection: [.images], projectRoot: fixture.root)
    let error = #expect(throws: ConfigurationError.self) {
      try Pipeline(job, environment: [:], emit: fixture.keep)
    }
    let text = "\(try #require(error))"
    #expect(
      text.contains("not for \(version)") && text.contains("assembled") && text.contains("--ansible-image"))
  }

  @Test func wheelsThatAreLeftOutCannotBeAssembled() throws {
    var configuration = settings("assembled")
    configuration.pypi.skip = true
    let error = #expect(throws: NothingToAssemble.self) {
      try AnsibleImage(configuration, try KubesprayVersion("2.30.0"))
    }
    #expect("\(try #require(error))".contains("pypi.skip"))
  }

  /// The stages of a run that fetches the images of an empty list, and what it was told of Ansible.
  private func run(_ fixture: RunFixture, image: String, registry: String, skip: Bool = false) async throws
    -> RunReport
  {
    let list = fixture.root.appending("list.txt")
    try writeAtomically("", to: list)
    for path in ["contrib/offline/generate_list.sh", "roles/kubespray_defaults/defaults/main/download.yml"] {
      try fixture.write("", to: "tree/\(path)")
    }
    try fixture.write("version: 2.30.0\n", to: "tree/galaxy.yml")
    try fixture.write("ansible==10.7.0\n", to: "tree/requirements.txt")
    var configuration = fixture.configuration
    configuration.kubespray.source = fixture.root.appending("tree").string
    configuration.images.from = list
    configuration.images.skip = skip
    configuration.images.plainHTTP = [registry]
    configuration.architecture = "amd64"
    configuration.python.ansibleInContainer = true
    configuration.python.ansibleImage = image
    let job = Job(configuration, selection: [.images], projectRoot: fixture.root)
    return try await Pipeline(job, environment: [:], emit: fixture.keep).execute()
  }

  @Test func anImageOfARegistryIsFetchedAsAllOthers() async throws {
    let fixture = try RunFixture()
    let registry = try TestRegistry()
    let image = TestImage(layers: [TestImage.Blob(Array("ansible".utf8), .ociLayerGzip)])
    registry.put(image, in: "team/ansible", tag: "1")
    let name = "\(registry.host)/team/ansible:1"
    let report = try await run(fixture, image: name, registry: registry.host)
    #expect(report.failures.isEmpty, "\(report.failures)")
    let archive = try #require(fixture.files?.first { $0.image != nil })
    #expect(archive.image?.reference.description == name && archive.verification == .registryPlainHTTP)
    #expect(fixture.text("outputs/images/additional-images.list") == "\(name)\n")
  }

  @Test func withoutImagesItIsLeftOutAndThatIsTold() async throws {
    let fixture = try RunFixture()
    let report = try await run(fixture, image: "localhost:1/a:1", registry: "localhost:1", skip: true)
    #expect(report.failures.isEmpty && fixture.names.isEmpty)
    #expect(fixture.messages.contains { $0.contains("the image with Ansible") })
  }

  @Test func anArchiveMadeHereIsInTheManifestAsAnImage() async throws {
    let fixture = try RunFixture()
    let name = try ImageReference("localhost/kubespray-offline/ansible:1")
    let image = TestImage(layers: [TestImage.Blob(Array("layer".utf8), .ociLayerGzip)])
    let archived = try ArchivedImage(
      reference: name,
      manifests: [try FetchedManifest(image.manifest.bytes, descriptor: image.manifest.descriptor)])
    let made = fixture.root.appending("made.tar.gz")
    try fixture.write("", to: "blobs/none")
    for blob in [image.config] + image.layers {
      try writeAtomically(
        blob.bytes, to: fixture.root.appending("blobs").appending(blob.descriptor.digest.hex))
    }
    _ = try ImageArchiveWriter.write(
      archived, blobs: { fixture.root.appending("blobs").appending($0.hex) }, to: made)
    let artifact = Artifact(
      path: try name.archivePath(), source: .assembledImage(made, name), stage: .files,
      verification: .generated)
    for expected in [0, 1] {
      let report = try await fixture.run([artifact])
      #expect(report.failures.isEmpty && report.skipped == expected)
      let listed = try #require(fixture.files?.first?.image)
      #expect(listed.reference == name && listed.digest == image.manifest.descriptor.digest)
    }
  }
}

@Suite struct BaseContentsTests {
  private enum Item {
    case text(String)
    case link(String)
  }

  private func withLayers(
    _ layers: [[(String, Item)]], _ body: (BaseContents) throws -> Void
  ) throws {
    let folder = try createTemporaryFolder(named: "base-test")
    defer { try? removeTree(folder) }
    var paths: [FilePath] = []
    for (number, entries) in layers.enumerated() {
      let path = folder.appending("\(number).tar.gz")
      let writer = try ArchiveWriter(path, compression: .gzip(level: 1))
      for (name, item) in entries {
        switch item {
        case .text(let text): try writer.add(bytes: Array(text.utf8), as: name)
        case .link(let target): try writer.add(symlink: name, target: target)
        }
      }
      _ = try writer.finish()
      paths.append(path)
    }
    try body(try BaseContents(layers: paths))
  }

  private let path = ["/usr/local/bin", "/usr/bin", "/bin"]
  private let debian: [(String, Item)] = [
    ("bin", .link("usr/bin")), ("lib", .link("usr/lib")), ("etc/os-release", .link("../usr/lib/os-release")),
    ("usr/lib/os-release", .text("ID=debian\nVERSION_ID=12\n")), ("usr/bin/python3", .link("python3.11")),
    ("usr/bin/python3.11", .text("")), ("usr/bin/ssh", .text("")),
    ("var/lib/dpkg/status", .text("Package: a\n")),
  ]

  @Test func whatMattersIsFoundBehindLinks() throws {
    try withLayers([debian]) { base in
      #expect(base.python(in: path)?.path == "/usr/bin/python3.11" && base.python(in: path)?.minor == 11)
      #expect(base.python(in: ["/bin"])?.minor == 11)
      #expect(base.system?.versionID == "12" && base.packageStatus == Array("Package: a\n".utf8))
      #expect(base.has("ssh", in: path) && !base.has("rsync", in: path) && !base.isMusl)
      #expect(base.mergedFolder("lib") == "usr/lib" && base.mergedFolder("opt") == nil)
    }
  }

  @Test func anUpperLayerAddsReplacesAndTakesAway() throws {
    let upper: [(String, Item)] = [
      ("usr/local/bin/python3", .link("python3.12")), ("usr/local/bin/python3.12", .text("")),
      ("usr/bin/.wh.ssh", .text("")), ("var/lib/dpkg/status", .text("Package: b\n")),
    ]
    try withLayers([debian, upper]) { base in
      #expect(base.python(in: path)?.path == "/usr/local/bin/python3.12")
      #expect(!base.has("ssh", in: path) && base.packageStatus == Array("Package: b\n".utf8))
    }
    try withLayers([debian, upper, [("usr/.wh..wh..opq", .text(""))]]) { base in
      #expect(base.python(in: path) == nil && base.system == nil)
    }
  }

  @Test func muslIsSeen() throws {
    try withLayers([[("lib/ld-musl-x86_64.so.1", .text(""))]]) { #expect($0.isMusl) }
  }
}
