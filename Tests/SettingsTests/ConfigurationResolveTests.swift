import Settings
import SystemPackage
import Testing
import YAML

@Suite struct ConfigurationResolveTests {
  private func resolve(
    _ files: [String] = [], environment: [String: String] = [:], flags: [String: [String]] = [:]
  ) throws -> Configuration {
    let documents = try files.enumerated().compactMap { place, text in
      try YAML.parse(text, source: "file\(place).yml")
    }
    return try Configuration.resolve(documents: documents, environment: environment, flags: flags)
  }

  private func problems(
    _ files: [String] = [], environment: [String: String] = [:], flags: [String: [String]] = [:]
  ) throws -> [String] {
    do {
      _ = try resolve(files, environment: environment, flags: flags)
      return []
    } catch let error as ConfigurationError { return error.problems }
  }

  @Test(
    "White space around a variable of the environment, as files of variables from Windows leave it, is none of its value"
  )
  func blanksOfTheEnvironment() throws {
    let configuration = try resolve(environment: [
      "KUBESPRAY_VERSION": "2.31.0\r", "http_proxy": " http://proxy.example.com:3128 \n",
      "REGISTRY_PORT": "\t5000 ",
      "LOCAL_REGISTRY": "\r\n",
    ])
    #expect(configuration.kubespray.version == "2.31.0")
    #expect(configuration.proxy.http == "http://proxy.example.com:3128")
    #expect(configuration.registry.port == 5000)
    #expect(configuration.registry.local == nil)
  }

  @Test func defaults() throws {
    let configuration = try resolve()
    #expect(configuration.outputs == "outputs")
    #expect(configuration.architecture == nil)
    #expect(configuration.kubespray.version == "2.30.0")
    #expect(configuration.registry.address == "localhost:35000")
    #expect(configuration.transfer.stallTimeout == .seconds(30))
    #expect(configuration.entries.allSatisfy { $0.origin == .default })
  }

  @Test func everyLayerWinsOverTheOneBefore() throws {
    let files = [
      "outputs: a\ntransfer:\n  parallel: 1\n  retries: 1\n", "transfer: {parallel: 2, retries: 2}",
    ]
    #expect(try resolve().transfer.parallel == 16)
    #expect(try resolve([files[0]]).transfer.parallel == 1)
    let fromFiles = try resolve(files)
    #expect(fromFiles.transfer.parallel == 2)
    #expect(fromFiles.origin(of: "transfer.parallel") == .file("file1.yml", line: 1))
    #expect(fromFiles.origin(of: "outputs").description == "file0.yml:1")
    let fromEnvironment = try resolve(files, environment: ["PARALLEL": "3", "RETRIES": ""])
    #expect(fromEnvironment.transfer.parallel == 3)
    #expect(fromEnvironment.transfer.retries == 2)
    #expect(fromEnvironment.origin(of: "transfer.parallel").description == "environment PARALLEL")
    let fromFlag = try resolve(
      files, environment: ["PARALLEL": "3"], flags: ["transfer.parallel": ["4"]])
    #expect(fromFlag.transfer.parallel == 4)
    #expect(fromFlag.origin(of: "transfer.parallel").description == "--parallel")
  }

  @Test func theVariablesOfTheShellProjectAreRead() throws {
    let configuration = try resolve(environment: [
      "KUBESPRAY_VERSION": "v2.29.1", "RUNC_VERSION": "1.3.4", "CONTAINERD_VERSION": "2.1.5",
      "NERDCTL_VERSION": "2.1.6", "CNI_VERSION": "v1.8.0", "NGINX_VERSION": "1.29.2",
      "REGISTRY_VERSION": "2.8.3",
      "REGISTRY_PORT": "5000", "REGISTRY_DIR": "/srv/registry", "LOCAL_REGISTRY": "r.example.com:5000/k8s",
      "ADDITIONAL_CONTAINER_REGISTRY_LIST": "myregistry.io other.io:5000,third.io", "IMAGE_ARCH": "aarch64",
      "SKIP_DOWNLOAD_IMAGES": "true", "ansible_in_container": "true", "https_proxy": "http://p:1",
      "HTTP_PROXY": "http://p:2", "no_proxy": "localhost,.example.com",
    ])
    #expect(configuration.kubespray.version == "2.29.1")
    #expect(configuration.versions.runc == "1.3.4")
    #expect(configuration.versions.cni == "1.8.0")
    #expect(configuration.versions.registry == "2.8.3")
    #expect(configuration.registry.port == 5000)
    #expect(configuration.registry.directory == "/srv/registry")
    #expect(configuration.registry.address == "r.example.com:5000/k8s")
    #expect(configuration.registry.additional == ["myregistry.io", "other.io:5000", "third.io"])
    #expect(configuration.architecture == "arm64")
    #expect(configuration.images.skip && configuration.python.ansibleInContainer)
    #expect(configuration.proxy.http == "http://p:2" && configuration.proxy.https == "http://p:1")
    #expect(configuration.proxy.no == "localhost,.example.com")
  }

  @Test func lowerCaseProxyVariablesWin() throws {
    let configuration = try resolve(environment: ["http_proxy": "http://a:1", "HTTP_PROXY": "http://b:1"])
    #expect(configuration.proxy.http == "http://a:1")
  }

  @Test func tablesAndListsOfFiles() throws {
    let configuration = try resolve([
      """
      kubespray:
        extra_vars:
          kube_version: 1.33.5
          metallb_enabled: true
      registry:
        additional:
          - One.example.com
          - two.example.com:5000
      mirrors:
        GitHub.com: https://nexus.example.com/repository/github/
      """
    ])
    #expect(
      configuration.kubespray.extraVariables == ["kube_version": "1.33.5", "metallb_enabled": "true"])
    #expect(configuration.registry.additional == ["one.example.com", "two.example.com:5000"])
    #expect(configuration.mirrors == ["github.com": "https://nexus.example.com/repository/github"])
    #expect(configuration.origin(of: "registry.additional").description == "file0.yml:6")
  }

  @Test func nullMeansNotSet() throws {
    let configuration = try resolve(["kubespray: {version: master}", "kubespray:\n  version:\nregistry:\n"])
    #expect(configuration.kubespray.version == "master")
    #expect(configuration.origin(of: "kubespray.version").description == "file0.yml:1")
  }

  @Test func allProblemsOfAllSourcesAreReported() throws {
    let found = try problems(
      ["registy: {}\nregistry:\n  port: abc\nmirrors: {github.com: ftp://x}\n"],
      environment: ["PARALLEL": "65", "IMAGE_ARCH": "sparc"],
      flags: ["transfer.limit_rate": ["10 MB"], "registry.directory": ["/r"]])
    #expect(
      found == [
        "file0.yml:1:1: unknown key \"registy\" (did you mean \"registry\"?)",
        "file0.yml:3:9: \"registry.port\" must be a number from 1 to 65535, not \"abc\"",
        "file0.yml:4:23: \"mirrors.github.com\" must be a URL that begins with http:// or https://, "
          + "without ? and #, not \"ftp://x\"",
        "environment IMAGE_ARCH: \"architecture\" must be auto or amd64 (x86_64) or arm64 (aarch64), "
          + "not \"sparc\"",
        "environment PARALLEL: \"transfer.parallel\" must be a number from 1 to 64, not \"65\"",
        "\"registry.directory\" cannot be set on the command line; set it in a configuration file",
        "--limit-rate: \"transfer.limit_rate\" must be a number of bytes per second, optionally followed by "
          + "K, M or G (10M), or 0 for no limit, not \"10 MB\"",
      ])
  }

  @Test func onlyTheDefaultFileMayBeMissing() throws {
    _ = try Configuration.resolve(defaultFile: "/nonexistent/config.yml", environment: [:])
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration.resolve(defaultFile: nil, files: ["/nonexistent/mine.yml"], environment: [:])
    }
    #expect(
      error?.description == "/nonexistent/mine.yml: the file cannot be read: No such file or directory")
  }
}
