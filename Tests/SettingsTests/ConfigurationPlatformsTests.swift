import Bundle
import Settings
import Testing
import YAML

/// The settings about platforms, seen together.
@Suite struct ConfigurationPlatformsTests {
  private func resolve(_ text: String, flags: [String: [String]] = [:]) throws -> Configuration {
    let document = try YAML.parse(text, source: "config.yml")
    return try Configuration.resolve(documents: document.map { [$0] } ?? [], flags: flags)
  }

  @Test(arguments: [
    ("", ["amd64"], FileLayoutName.kubesprayOffline),
    ("architecture: arm64", ["arm64"], .kubesprayOffline),
    ("platforms: [linux/arm64]", ["arm64"], .kubesprayOffline),
    ("platforms: [linux/arm64, linux/amd64]", ["arm64", "amd64"], .original),
    ("platforms: [linux/arm64, linux/amd64]\narchitecture: amd64", ["amd64", "arm64"], .original),
    (
      "platforms: [linux/amd64, linux/arm64, linux/amd64]\nfiles: {layout: original}", ["amd64", "arm64"],
      .original
    ),
    ("files: {layout: original}", ["amd64"], .original),
  ])
  func `The architectures of the bundle, the main one first, and the layout that fits`(
    _ text: String, _ names: [String], _ layout: FileLayoutName
  ) throws {
    let configuration = try resolve(text)
    #expect(configuration.architectureNames(of: "amd64") == names)
    #expect(configuration.imagePlatforms(of: "amd64") == names.map { "linux/\($0)" })
    #expect(configuration.fileLayout == layout)
  }

  @Test func `Platforms are written as images or as uname name them`() throws {
    let environment = { try Configuration.resolve(documents: [], environment: ["PLATFORMS": $0]).platforms }
    #expect(try environment("linux/arm64 linux/x86_64") == ["linux/arm64", "linux/amd64"])
    #expect(try environment("aarch64,amd64") == ["linux/arm64", "linux/amd64"])
    for wrong in ["windows/amd64", "linux/arm/v7", "linux/sparc", "linux/", "amd64/linux"] {
      #expect(throws: ConfigurationError.self, "\(wrong)") { try environment(wrong) }
    }
  }

  @Test func `Images can have platforms of their own`() throws {
    let configuration = try resolve(
      "platforms: [linux/amd64, linux/arm64]\nimages: {platforms: [linux/amd64]}")
    #expect(configuration.imagePlatforms(of: "amd64") == ["linux/amd64"])
    #expect(configuration.architectureNames(of: "amd64") == ["amd64", "arm64"])
  }

  @Test func `What contradicts itself is an error that names both settings`() {
    let error = #expect(throws: ConfigurationError.self) {
      try resolve(
        "platforms: [linux/amd64, linux/arm64]\nfiles:\n  layout: original\n",
        flags: ["files.layout": ["kubespray-offline"]])
    }
    #expect(
      error?.problems == [
        "--layout: \"files.layout\" is kubespray-offline, whose folders have no place for linux/amd64, linux/arm64, "
          + "as \"platforms\" (config.yml:1) asks. Set \"files.layout\" to original or auto."
      ])
    let other = #expect(throws: ConfigurationError.self) {
      try resolve("platforms: [linux/amd64]", flags: ["architecture": ["arm64"]])
    }
    #expect(
      other?.problems == [
        "--architecture: \"architecture\" is arm64, but \"platforms\" (config.yml:1) is linux/amd64. Add linux/arm64 "
          + "to it, or remove one of the two."
      ])
  }
}
