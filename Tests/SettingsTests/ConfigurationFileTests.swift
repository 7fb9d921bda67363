import Settings
import SystemPackage
import Testing
import YAML

/// config/config.yml, the table of settings and what a bundle records must say the same.
@Suite struct ConfigurationFileTests {
  private static let path = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("config").appending("config.yml")

  @Test func theFileListsEverySettingWithItsDefault() throws {
    let configuration = try Configuration.resolve(
      defaultFile: nil, files: [Self.path], environment: [:])
    for (usual, entry) in zip(Configuration().entries, configuration.entries) {
      #expect(entry.key == usual.key)
      #expect(entry.value == usual.value, "\(entry.key)")
      guard case .file = entry.origin else {
        Issue.record("\(entry.key) is not in config/config.yml")
        continue
      }
    }
  }

  @Test func everySettingHasACommentThatNamesItsVariables() throws {
    let lines = try text().split(separator: "\n", omittingEmptySubsequences: false)
    let configuration = try Configuration.resolve(defaultFile: nil, files: [Self.path], environment: [:])
    for setting in Configuration.settings {
      guard case .file(_, let line) = configuration.origin(of: setting.key) else { continue }
      let comment = lines[..<(line - 1)].reversed().prefix { $0.drop { $0 == " " }.hasPrefix("#") }
      #expect(!comment.isEmpty, "\(setting.key) has no comment")
      let words = comment.reversed().joined(separator: " ")
      #expect(
        setting.environment.isEmpty || words.contains("[\(setting.environment.joined(separator: ", "))]"))
    }
  }

  @Test func keysVariablesAndFlagsAreUnique() {
    let settings = Configuration.settings
    for names in [settings.map(\.key), settings.flatMap(\.environment), settings.compactMap(\.flag?.name)] {
      #expect(Set(names).count == names.count)
    }
  }

  @Test func theBundlesFileReadsBackToTheSameValues() throws {
    var original = try Configuration.resolve(
      documents: [],
      environment: [
        "KUBESPRAY_VERSION": "1234567", "IMAGE_ARCH": "arm64", "RUNC_VERSION": "1.3.4", "LIMIT_RATE": "10M",
        "ADDITIONAL_CONTAINER_REGISTRY_LIST": "a.io b.io:5000", "LOCAL_REGISTRY": "r.io/x",
        "OUTPUTS_DIR": "/home/me/outputs", "CACHE_DIR": "/home/me/cache", "PYTHON": "/home/me/python",
        "KUBESPRAY_SOURCE": "/home/me/kubespray", "KUBESPRAY_INVENTORY": "/home/me/inventory",
        "http_proxy": "http://me:secret@p:1", "ansible_in_container": "true", "ANSIBLE_IMAGE": "assembled",
        "ANSIBLE_BASE_IMAGE": "python:3.12",
      ])
    original.kubespray.extraVariables = ["registry_password": "a secret", "empty": ""]
    original.mirrors = ["h": "http://me:secret@m"]
    let text = original.yaml()
    #expect(!text.contains("/home/me") && !text.contains("secret") && !text.contains("registry_password"))
    #expect(!original.shellText().contains("secret"))
    let document = try #require(try YAML.parse(text, source: "outputs/config.yml"))
    let copy = try Configuration.resolve(documents: [document])
    #expect(document["registry"]?["port"]?.int == 35_000 && document["images"]?["skip"]?.bool == false)
    let local = [
      "outputs", "cache", "mirrors", "kubespray.source", "kubespray.inventory", "kubespray.extra_vars",
      "packages.sources",
      "python.executable", "python.ansible_base",
    ]
    for (entry, other) in zip(original.entries, copy.entries) {
      let isLocal = local.contains(entry.key) || entry.key.hasPrefix("proxy")
      #expect(isLocal ? other.origin == .default : other.value == entry.value, "\(entry.key)")
    }
    #expect(copy.registry.additional == ["a.io", "b.io:5000"])
  }

  private func text() throws -> String {
    let descriptor = try FileDescriptor.open(Self.path, .readOnly)
    return try descriptor.closeAfter {
      let bytes = try [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
