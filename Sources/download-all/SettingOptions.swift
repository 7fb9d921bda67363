import ArgumentParser
import Bundle
import CommandSupport
import Glibc
import Settings
import SystemPackage

/// The settings that have a flag, and where the others come from.
struct SettingOptions: ParsableArguments {
  @Option(
    name: [.short, .customLong("config")],
    help: .init("Read settings from FILE, after config/config.yml.", valueName: "file"))
  var configFiles: [String] = []

  @Option(help: .init("The folder in which the bundle is built. [OUTPUTS_DIR]", valueName: "dir"))
  var outputs: String?

  @Option(help: .init("The folder for what can be made again. [CACHE_DIR]", valueName: "dir"))
  var cache: String?

  @Option(help: .init("The architecture of the target: amd64, arm64. [IMAGE_ARCH]", valueName: "arch"))
  var architecture: String?

  @Option(
    help: .init(
      "Carry everything for these: linux/amd64,linux/arm64; the layout is then original. [PLATFORMS]",
      valueName: "platforms"))
  var platforms: String?

  @Option(
    help: .init("A release, master, release-X.Y or a commit. [KUBESPRAY_VERSION]", valueName: "version"))
  var kubesprayVersion: String?

  @Option(
    help: .init(
      "A folder, a tarball or a git URL to take kubespray from. [KUBESPRAY_SOURCE]", valueName: "where"))
  var kubespraySource: String?

  @Option(
    name: [.short, .long],
    help: .init("The inventory of your cluster. [KUBESPRAY_INVENTORY]", valueName: "path"))
  var inventory: String?

  @Option(
    name: [.customShort("e"), .customLong("extra-vars")],
    help: .init("An Ansible variable that wins over the inventory; may be repeated.", valueName: "name=value")
  )
  var extraVariables: [String] = []

  @Option(
    help: .init("all, or enabled: only what the inventory uses. [KUBESPRAY_SELECTION]", valueName: "what"))
  var selection: String?

  @Option(help: .init("kubespray-offline, or original: host/path. [FILES_LAYOUT]", valueName: "name"))
  var layout: String?

  @Flag(help: "Leave out the container images. [SKIP_DOWNLOAD_IMAGES]")
  var skipImages = false

  @Option(help: .init("Take the images of this list alone. [IMAGES_FROM_FILE]", valueName: "file"))
  var imagesFrom: String?

  @Flag(help: "Take the images of a running cluster too, by kubectl. [IMAGES_FROM_CLUSTER]")
  var fromCluster = false

  @Option(help: .init("How kubectl finds that cluster. [KUBECONFIG]", valueName: "file"))
  var kubeconfig: String?

  @Option(
    help: .init(
      "Carry packages for these releases: host,debian-13,... [PACKAGE_TARGETS]", valueName: "targets"))
  var packageTargets: String?

  @Flag(help: "Leave out the operating-system packages. [SKIP_PACKAGES]")
  var skipPackages = false

  @Flag(help: "Leave out the Python packages. [SKIP_PYPI]")
  var skipPypi = false

  @Option(help: .init("Sign the repositories with this key. [SIGNING_KEY]", valueName: "file-or-id"))
  var signingKey: String?

  @Flag(help: "Install nothing on this machine; say what is missing. [INSTALL_PACKAGES=false]")
  var noInstall = false

  @Flag(help: "Ask the package repositories again, however recent their last answer. [REFRESH_AFTER=0s]")
  var refresh = false

  @Option(help: .init("The Python that runs Ansible here. [PYTHON]", valueName: "program"))
  var python: String?

  @Flag(help: "Carry an image with Ansible; the target runs it in a container. [ansible_in_container]")
  var ansibleInContainer = false

  @Option(
    help: .init(
      "That image: auto, a reference, or assembled: made here of wheels. [ANSIBLE_IMAGE]", valueName: "image")
  )
  var ansibleImage: String?

  @Option(help: .init("Connections at a time, to all hosts. [PARALLEL]", valueName: "n"))
  var parallel: String?

  @Option(help: .init("Connections at a time to one host. [PARALLEL_PER_HOST]", valueName: "n"))
  var parallelPerHost: String?

  @Option(help: .init("How often a failed transfer is tried again. [RETRIES]", valueName: "n"))
  var retries: String?

  @Option(help: .init("The most bytes a second, such as 10M. [LIMIT_RATE]", valueName: "rate"))
  var limitRate: String?

  /// The settings as they hold for this call.
  ///
  /// - Throws: ``ConfigurationError``, or `ValidationError` for a malformed `--extra-vars`.
  func resolve() throws -> Configuration {
    var flags: [String: String] = [:]
    flags["outputs"] = outputs
    flags["cache"] = cache
    flags["architecture"] = architecture
    flags["platforms"] = platforms
    flags["kubespray.version"] = kubesprayVersion
    flags["kubespray.source"] = kubespraySource
    flags["kubespray.inventory"] = inventory
    flags["kubespray.selection"] = selection
    flags["files.layout"] = layout
    flags["images.skip"] = skipImages ? "true" : nil
    flags["images.from"] = imagesFrom
    flags["images.from_cluster"] = fromCluster ? "true" : nil
    flags["images.kubeconfig"] = kubeconfig
    flags["packages.targets"] = packageTargets
    flags["packages.skip"] = skipPackages ? "true" : nil
    flags["packages.install"] = noInstall ? "false" : nil
    flags["packages.signing_key"] = signingKey
    flags["pypi.skip"] = skipPypi ? "true" : nil
    flags["refresh_after"] = refresh ? "0s" : nil
    flags["python.executable"] = python
    flags["python.ansible_in_container"] = ansibleInContainer ? "true" : nil
    flags["python.ansible_image"] = ansibleImage
    flags["transfer.parallel"] = parallel
    flags["transfer.per_host"] = parallelPerHost
    flags["transfer.retries"] = retries
    flags["transfer.limit_rate"] = limitRate
    var configuration = try Configuration.resolve(
      files: configFiles.map { FilePath($0) }, environment: processEnvironment(), flags: flags)
    if kubeconfig != nil, !configuration.images.fromCluster {
      throw ValidationError("--kubeconfig goes with --from-cluster: nothing else asks a cluster")
    }
    for text in extraVariables {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw ValidationError("--extra-vars takes NAME=VALUE, not \"\(text)\"")
      }
      configuration.kubespray.extraVariables[String(text[..<equals])] = String(
        text[text.index(after: equals)...])
    }
    exportProxies(configuration)
    return configuration
  }

  /// Ansible, pip and git, which run below this program, read the proxies from the environment.
  private func exportProxies(_ configuration: Configuration) {
    for (name, value) in [
      ("http_proxy", configuration.proxy.http), ("https_proxy", configuration.proxy.https),
      ("no_proxy", configuration.proxy.no),
    ] {
      if let value { setenv(name, value, 1) }
    }
  }
}
